import { sha256 } from '../base/digest.ts';
import type { Machine } from './machine.ts';

/** A command that a repository's files ask for and a person approved on this machine, word for word. */
export interface TrustedCommand {
  /** Which setting it comes from: `stabilize_command`, `workspace.setup`. */
  kind: string;
  text_hash: string;
  text: string;
  approved_by: string;
  approved_at: string;
}

export function isTrusted(machine: Machine, kind: string, text: string): boolean {
  const sql = 'select 1 from trusted_command where kind = ? and text_hash = ?';
  return machine.get(sql, kind, hashOf(text)) !== undefined;
}

/** Approving again changes nothing. */
export function trustCommand(
  machine: Machine,
  { kind, text, approvedBy, at }: { kind: string; text: string; approvedBy: string; at: string },
): void {
  const sql = 'insert into trusted_command values (?, ?, ?, ?, ?) on conflict do nothing';
  machine.run(sql, kind, hashOf(text), text, approvedBy, at);
}

export function distrustCommand(machine: Machine, kind: string, text: string): void {
  machine.run('delete from trusted_command where kind = ? and text_hash = ?', kind, hashOf(text));
}

export function listTrustedCommands(machine: Machine): TrustedCommand[] {
  return machine.all<TrustedCommand>('select * from trusted_command order by kind, approved_at, text_hash');
}

function hashOf(text: string): string {
  return sha256(text);
}
