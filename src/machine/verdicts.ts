import type { Machine } from './machine.ts';

/** What decides the outcome of a test run: the files, the command, and where it runs. */
export interface VerdictKey {
  tree: string;
  commandHash: string;
  environmentHash: string;
}

export interface Verdict {
  result: 'green' | 'red';
  durationMs: number;
  outputId: string | null;
  createdAt: string;
}

interface VerdictRow {
  result: 'green' | 'red';
  duration_ms: number;
  output_id: string | null;
  created_at: string;
}

export function findVerdict(
  machine: Machine,
  { tree, commandHash, environmentHash }: VerdictKey,
): Verdict | undefined {
  const row = machine.get<VerdictRow>(
    'select * from verdict where tree = ? and command_hash = ? and environment_hash = ?',
    tree,
    commandHash,
    environmentHash,
  );
  if (!row) return undefined;
  const { result, duration_ms, output_id, created_at } = row;
  return { result, durationMs: duration_ms, outputId: output_id, createdAt: created_at };
}

/** The latest run counts: a fresh run of a suspect replaces what was found before. */
export function recordVerdict(machine: Machine, key: VerdictKey, verdict: Verdict): void {
  machine.run(
    `insert into verdict (tree, command_hash, environment_hash, result, duration_ms, output_id, created_at)
      values (?, ?, ?, ?, ?, ?, ?)
      on conflict do update set result = excluded.result, duration_ms = excluded.duration_ms,
        output_id = excluded.output_id, created_at = excluded.created_at`,
    key.tree,
    key.commandHash,
    key.environmentHash,
    verdict.result,
    verdict.durationMs,
    verdict.outputId,
    verdict.createdAt,
  );
}

export function deleteVerdict(machine: Machine, { tree, commandHash, environmentHash }: VerdictKey): void {
  machine.run(
    'delete from verdict where tree = ? and command_hash = ? and environment_hash = ?',
    tree,
    commandHash,
    environmentHash,
  );
}

export interface FlakeCount {
  runs: number;
  /** Runs whose red turned green on the same files. */
  flakes: number;
}

export function countRuns(machine: Machine, commandHash: string, { runs, flakes }: FlakeCount): void {
  machine.run(
    `insert into flake values (?, ?, ?)
      on conflict do update set runs = runs + excluded.runs, flakes = flakes + excluded.flakes`,
    commandHash,
    runs,
    flakes,
  );
}

export function getFlakeCount(machine: Machine, commandHash: string): FlakeCount {
  const row = machine.get<FlakeCount>('select runs, flakes from flake where command_hash = ?', commandHash);
  return { runs: row?.runs ?? 0, flakes: row?.flakes ?? 0 };
}
