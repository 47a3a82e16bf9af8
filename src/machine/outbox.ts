import { newId } from '../base/ids.ts';
import type { Machine } from './machine.ts';

/**
 * A write on its way to the server. It is written down under its idempotency key before it is sent, and taken out when
 * the server has answered: whatever dies in between, the same key sends it again, and it is done once.
 * - sending: a process is at it now
 * - waiting: the server was away; it is sent again in its place
 * - rejected: the server refused it; somebody has to look
 */
export interface OutboxEntry {
  seq: number;
  key: string;
  operation: string;
  actorId: string;
  input: Record<string, unknown>;
  state: 'sending' | 'waiting' | 'rejected';
  attempts: number;
  error: OutboxError | null;
  createdAt: string;
}

export interface OutboxError {
  code: string;
  message: string;
  fix?: string | undefined;
}

interface Row {
  seq: number;
  key: string;
  operation: string;
  actor_id: string;
  input: string;
  state: OutboxEntry['state'];
  attempts: number;
  error: string | null;
  holder: string;
  created_at: string;
}

export interface NewEntry {
  operation: string;
  actorId: string;
  input: unknown;
  state: 'sending' | 'waiting';
  at: string;
  /** Where it must be the same whenever it is made. */
  key?: string | undefined;
}

/** Writes an entry down, at the end; answers its place and key. One whose key is there already stays as it is. */
export function putIntoOutbox(machine: Machine, entry: NewEntry): { seq: number; key: string } {
  const key = entry.key ?? newId();
  const { operation, actorId, input, state, at } = entry;
  const sql = `insert into outbox (key, operation, actor_id, input, state, attempts, error, holder, created_at)
    values (?, ?, ?, ?, ?, 0, null, ?, ?) on conflict (key) do nothing`;
  machine.run(sql, key, operation, actorId, JSON.stringify(input), state, machine.holder, at);
  return { seq: Number(machine.get<{ seq: number }>('select seq from outbox where key = ?', key)?.seq), key };
}

/** The server has answered it, or it never began. */
export function takeOut(machine: Machine, seq: number): boolean {
  return machine.run('delete from outbox where seq = ?', seq) > 0;
}

/** It stays, to be sent again in its place. What the server has looked at, and answered with an error, was an attempt. */
export function keepWaiting(machine: Machine, seq: number, error?: OutboxError): void {
  const sql = `update outbox set state = 'waiting', attempts = attempts + ?, error = ? where seq = ?`;
  machine.run(sql, error ? 1 : 0, error ? JSON.stringify(error) : null, seq);
}

export function rejectEntry(machine: Machine, seq: number, error: OutboxError): void {
  const sql = `update outbox set state = 'rejected', attempts = attempts + 1, error = ? where seq = ?`;
  machine.run(sql, JSON.stringify(error), seq);
}

/**
 * Puts what was rejected back to be sent again: all of it, or one place. One that is being sent can be named too: where its
 * process cannot be seen, a person may know that it is gone, and its key keeps it from being done twice.
 */
export function waitAgain(machine: Machine, seq?: number): number {
  if (seq === undefined) return machine.run(`update outbox set state = 'waiting' where state = 'rejected'`);
  return machine.run(
    `update outbox set state = 'waiting' where state in ('rejected', 'sending') and seq = ?`,
    seq,
  );
}

/** What waits to be sent, in its order; what a process that died was sending is part of it. */
export function listWaiting(machine: Machine, limit: number): OutboxEntry[] {
  const sql = `select * from outbox where state in ('waiting', 'sending') order by seq`;
  const rows = machine.all<Row>(sql).filter((row) => row.state === 'waiting' || !machine.isAlive(row.holder));
  return rows.slice(0, limit).map(toEntry);
}

/** Everything that is not done, in its order. */
export function listOutbox(machine: Machine): OutboxEntry[] {
  return machine.all<Row>('select * from outbox order by seq').map(toEntry);
}

export function countOutbox(machine: Machine): { waiting: number; rejected: number } {
  const sql = 'select state, holder from outbox';
  const rows = machine.all<Pick<Row, 'state' | 'holder'>>(sql);
  const rejected = rows.filter((row) => row.state === 'rejected').length;
  const sending = rows.filter((row) => row.state === 'sending' && machine.isAlive(row.holder)).length;
  return { waiting: rows.length - rejected - sending, rejected };
}

function toEntry(row: Row): OutboxEntry {
  return {
    seq: row.seq,
    key: row.key,
    operation: row.operation,
    actorId: row.actor_id,
    input: JSON.parse(row.input) as Record<string, unknown>,
    state: row.state,
    attempts: row.attempts,
    error: row.error === null ? null : (JSON.parse(row.error) as OutboxError),
    createdAt: row.created_at,
  };
}
