import { newId } from '../base/ids.ts';
import type { Machine } from './machine.ts';

export type IntentKind = 'create' | 'destroy' | 'move' | 'sync' | 'promote' | 'trust' | 'split';

/** What a process is about to do to a worktree, written before it starts; `data` is JSON that only its writer reads. */
export interface Intent {
  id: string;
  kind: IntentKind;
  data: string;
  holder: string;
  created_at: string;
}

export function insertIntent(
  machine: Machine,
  { kind, data, at }: { kind: IntentKind; data: unknown; at: string },
): string {
  const id = newId();
  const text = JSON.stringify(data);
  machine.run('insert into intent values (?, ?, ?, ?, ?)', id, kind, text, machine.holder, at);
  return id;
}

/** Records more of an intent before its next step. */
export function updateIntent(machine: Machine, id: string, data: unknown): void {
  machine.run('update intent set data = ? where id = ?', JSON.stringify(data), id);
}

/** The intent was carried out or withdrawn. */
export function finishIntent(machine: Machine, id: string): void {
  machine.run('delete from intent where id = ?', id);
}

export function listIntents(machine: Machine): Intent[] {
  return machine.all<Intent>('select * from intent order by created_at, id');
}

/** Intents whose process is gone: only these may be repaired. */
export function listOrphanedIntents(machine: Machine): Intent[] {
  return listIntents(machine).filter((intent) => !machine.isAlive(intent.holder));
}

/** Takes an orphaned intent over for repair; false where another process was quicker or its holder is alive. */
export function adoptIntent(machine: Machine, intent: Intent): boolean {
  if (machine.isAlive(intent.holder)) return false;
  const sql = 'update intent set holder = ? where id = ? and holder = ?';
  return machine.run(sql, machine.holder, intent.id, intent.holder) === 1;
}

/** Gives an adopted intent back to the dead, for somebody else to repair. */
export function orphanIntent(machine: Machine, intent: Intent): void {
  machine.run(
    'update intent set holder = ? where id = ? and holder = ?',
    intent.holder,
    intent.id,
    machine.holder,
  );
}
