import type { Machine } from './machine.ts';

/** The tip of the buffer at which the recorded settings were last found to be those of the file in its tree. */
export interface SettledConfig {
  tip: string;
  /** The blob of the file; null where there is none. */
  blob: string | null;
}

export function findSettledConfig(machine: Machine, repoId: string): SettledConfig | undefined {
  return machine.get<SettledConfig>('select tip, blob from settled_config where repo_id = ?', repoId);
}

export function recordSettledConfig(
  machine: Machine,
  { repoId, tip, blob }: SettledConfig & { repoId: string },
): void {
  const sql = `insert into settled_config values (?, ?, ?)
    on conflict do update set tip = excluded.tip, blob = excluded.blob`;
  machine.run(sql, repoId, tip, blob);
}
