import type { Machine } from './machine.ts';

/** The head of a stream that a reviewer was last shown; a review is about that head and no later one. */
export interface SeenHead {
  head: string;
  seen_at: string;
}

export function findSeenHead(machine: Machine, streamId: string, agentId: string): SeenHead | undefined {
  const sql = 'select head, seen_at from seen_head where stream_id = ? and agent_id = ?';
  return machine.get<SeenHead>(sql, streamId, agentId);
}

export function recordSeenHead(
  machine: Machine,
  { streamId, agentId, head, at }: { streamId: string; agentId: string; head: string; at: string },
): void {
  const sql = `insert into seen_head values (?, ?, ?, ?)
    on conflict do update set head = excluded.head, seen_at = excluded.seen_at`;
  machine.run(sql, streamId, agentId, head, at);
}
