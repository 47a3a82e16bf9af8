import { sha256 } from '../base/digest.ts';
import type { Machine } from './machine.ts';

/** Who a process started by us acts for. The token travels in GITSWARM_SESSION; only its hash is kept. */
export interface Session {
  agent_id: string;
  stream_id: string | null;
  created_at: string;
  ended_at: string | null;
}

export function insertSession(
  machine: Machine,
  { token, agentId, streamId, at }: { token: string; agentId: string; streamId: string | null; at: string },
): void {
  const sql = 'insert into session (token_hash, agent_id, stream_id, created_at) values (?, ?, ?, ?)';
  machine.run(sql, hashOf(token), agentId, streamId, at);
}

/** The session of a token, if it has not ended. */
export function findSession(machine: Machine, token: string): Session | undefined {
  return machine.get<Session>(
    'select agent_id, stream_id, created_at, ended_at from session where token_hash = ? and ended_at is null',
    hashOf(token),
  );
}

export function endSession(machine: Machine, token: string, at: string): void {
  machine.run('update session set ended_at = ? where token_hash = ? and ended_at is null', at, hashOf(token));
}

/** Ends every session in a stream, as when its workspace is destroyed. */
export function endSessionsOf(machine: Machine, streamId: string, at: string): void {
  machine.run('update session set ended_at = ? where stream_id = ? and ended_at is null', at, streamId);
}

function hashOf(token: string): string {
  return sha256(token);
}
