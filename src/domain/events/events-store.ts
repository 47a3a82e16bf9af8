import type { Selectable } from 'kysely';
import type { EventType, SwarmEvent } from '../../contract/events.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { EventRow } from '../../db/tables.ts';

/** An event as an operation emits it; id, order and time are given when it is written. */
export interface NewEvent {
  type: EventType;
  subject: { type: string; id: string };
  data?: Record<string, unknown>;
}

export async function insertEvents(tx: Tx, rows: Omit<EventRow, 'seq'>[]): Promise<void> {
  if (rows.length > 0) await tx.insertInto('event').values(rows).execute();
}

type EventWithActor = Selectable<EventRow> & { actor_name: string | null };

/**
 * Newest first before `before`, or oldest first after `after`; `type` may end in `*`. Without a repository those of
 * all, and those that belong to none.
 */
export async function listEventRows(
  db: Db,
  filter: {
    repoId?: string | undefined;
    type?: string | undefined;
    actorId?: string | undefined;
    subjectId?: string | undefined;
    since?: string | undefined;
    after?: number | undefined;
    before?: number | undefined;
    limit: number;
  },
): Promise<EventWithActor[]> {
  let query = db
    .selectFrom('event')
    .leftJoin('agent', 'agent.id', 'event.actor_id')
    .selectAll('event')
    .select('agent.name as actor_name')
    .limit(filter.limit);
  if (filter.repoId !== undefined) query = query.where('event.repo_id', '=', filter.repoId);
  if (filter.type?.endsWith('*')) query = query.where('event.type', 'like', `${filter.type.slice(0, -1)}%`);
  else if (filter.type) query = query.where('event.type', '=', filter.type);
  if (filter.actorId) query = query.where('event.actor_id', '=', filter.actorId);
  if (filter.subjectId) query = query.where('event.subject_id', '=', filter.subjectId);
  if (filter.since) query = query.where('event.created_at', '>=', filter.since);
  if (filter.after !== undefined)
    return query.where('event.seq', '>', filter.after).orderBy('event.seq').execute();
  if (filter.before !== undefined) query = query.where('event.seq', '<', filter.before);
  return query.orderBy('event.seq', 'desc').execute();
}

/** The order number of the newest event, 0 in an empty log. */
export async function lastEventSeq(db: Db): Promise<number> {
  const row = await db
    .selectFrom('event')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst();
  return Number(row?.seq ?? 0);
}

export function toEvent(row: EventWithActor): SwarmEvent {
  return {
    id: row.id,
    seq: Number(row.seq),
    type: row.type as EventType,
    repoId: row.repo_id,
    actorId: row.actor_id,
    actorName: row.actor_name,
    subject: { type: row.subject_type, id: row.subject_id },
    data: JSON.parse(row.data) as Record<string, unknown>,
    createdAt: row.created_at,
  };
}
