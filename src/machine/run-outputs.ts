import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../base/ids.ts';
import type { Machine } from './machine.ts';

/** The output of one command: a file under `local/runs/`, which whoever runs the command writes, and this row. */
export interface RunOutput {
  id: string;
  /** `stabilize`, `setup`, `test` and the like. */
  kind: string;
  /** What it was about: a stream, a commit. */
  subject: string;
  path: string;
  holder: string;
  started_at: string;
  ended_at: string | null;
  exit: number | null;
  /** Bytes, known once it has ended. */
  size: number;
  truncated: number;
}

export function startRunOutput(
  machine: Machine,
  { kind, subject, at }: { kind: string; subject: string; at: string },
): RunOutput {
  const id = newId();
  const runs = join(machine.localDir, 'runs');
  mkdirSync(runs, { recursive: true });
  const path = join(runs, `${id}.log`);
  machine.run(
    `insert into run_output (id, kind, subject, path, holder, started_at, size, truncated)
      values (?, ?, ?, ?, ?, ?, 0, 0)`,
    id,
    kind,
    subject,
    path,
    machine.holder,
    at,
  );
  return getRow(machine, id);
}

export function finishRunOutput(
  machine: Machine,
  id: string,
  { exit, truncated, at }: { exit: number | null; truncated: boolean; at: string },
): RunOutput {
  const size = statSync(getRow(machine, id).path, { throwIfNoEntry: false })?.size ?? 0;
  machine.run(
    'update run_output set exit = ?, truncated = ?, ended_at = ?, size = ? where id = ?',
    exit,
    truncated ? 1 : 0,
    at,
    size,
    id,
  );
  return getRow(machine, id);
}

export function findRunOutput(machine: Machine, id: string): RunOutput | undefined {
  return machine.get<RunOutput>('select * from run_output where id = ?', id);
}

/** Newest first; of one subject where given. */
export function listRunOutputs(
  machine: Machine,
  { subject, limit }: { subject?: string; limit: number },
): RunOutput[] {
  return machine.all<RunOutput>(
    'select * from run_output where ?1 is null or subject = ?1 order by started_at desc, id desc limit ?2',
    subject ?? null,
    limit,
  );
}

/** The last `bytes` of an output, from the start of a line where there is one; empty where the file is gone. */
export function readTail(path: string, bytes: number): string {
  if (!statSync(path, { throwIfNoEntry: false })) return '';
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    const cut = size > bytes ? buffer.indexOf('\n') + 1 : 0;
    return buffer.subarray(cut).toString('utf8');
  } finally {
    closeSync(file);
  }
}

/** Deletes the oldest outputs beyond so many, or so many bytes in all, but none that is being written. Returns how many. */
export function pruneRunOutputs(machine: Machine, { keep, bytes }: { keep: number; bytes: number }): number {
  let kept = 0;
  let total = 0;
  let deleted = 0;
  for (const output of machine.all<RunOutput>('select * from run_output order by started_at desc, id desc')) {
    kept += 1;
    total += output.size;
    const isRunning = output.ended_at === null && machine.isAlive(output.holder);
    if (isRunning || (kept <= keep && total <= bytes)) continue;
    rmSync(output.path, { force: true });
    deleted += machine.run('delete from run_output where id = ?', output.id);
  }
  return deleted;
}

function getRow(machine: Machine, id: string): RunOutput {
  const row = findRunOutput(machine, id);
  if (!row) throw new TypeError(`no run output ${id}`);
  return row;
}
