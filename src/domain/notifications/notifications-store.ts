import type { NotNull } from 'kysely';
import type { SwarmEvent } from '../../contract/events.ts';
import type { Notification } from '../../contract/notifications.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { DeliveryRow, NotificationPreferenceRow, NotificationRow } from '../../db/tables.ts';

export async function findPreference(
  db: Db,
  agentId: string,
): Promise<NotificationPreferenceRow | undefined> {
  return db
    .selectFrom('notification_preference')
    .selectAll()
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
}

export async function upsertPreference(tx: Tx, row: NotificationPreferenceRow): Promise<void> {
  await tx
    .insertInto('notification_preference')
    .values(row)
    .onConflict((c) => c.column('agent_id').doUpdateSet(row))
    .execute();
}

/** False where this agent was told of this event already. */
export async function insertNotification(tx: Tx, row: NotificationRow): Promise<boolean> {
  const result = await tx
    .insertInto('notification')
    .values(row)
    .onConflict((c) => c.columns(['agent_id', 'event_id']).doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Newest first. */
export async function listNotificationRows(
  db: Db,
  filter: { agentId: string; unread?: boolean | undefined; before?: number | undefined; limit: number },
): Promise<NotificationRow[]> {
  let query = db.selectFrom('notification').selectAll().where('agent_id', '=', filter.agentId);
  if (filter.unread) query = query.where('read_at', 'is', null);
  if (filter.before !== undefined) query = query.where('event_seq', '<', filter.before);
  return query.orderBy('event_seq', 'desc').limit(filter.limit).execute();
}

/** Marks these, or all, as read; answers how many were not. */
export async function markRead(
  tx: Tx,
  { agentId, ids, now }: { agentId: string; ids: string[] | undefined; now: string },
): Promise<number> {
  if (ids && ids.length === 0) return 0;
  let query = tx
    .updateTable('notification')
    .set({ read_at: now })
    .where('agent_id', '=', agentId)
    .where('read_at', 'is', null);
  if (ids) query = query.where('id', 'in', ids);
  return Number((await query.executeTakeFirst()).numUpdatedRows);
}

export async function countUnread(db: Db, agentId: string): Promise<number> {
  const row = await db
    .selectFrom('notification')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('agent_id', '=', agentId)
    .where('read_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function insertDelivery(tx: Tx, row: DeliveryRow): Promise<void> {
  await tx.insertInto('delivery').values(row).execute();
}

/**
 * What is to be sent now, that waits longest first, with what it says, whom it is for, and the secret of its receiver.
 * What its receiver has withdrawn since, or has no secret to be signed with, is never among it.
 */
export async function listDueDeliveries(
  db: Db,
  filter: { repoId: string; now: string; limit: number },
): Promise<(DeliveryRow & { agent_id: string; payload: string; type: string; webhook_secret: string })[]> {
  return db
    .selectFrom('delivery')
    .innerJoin('notification', 'notification.id', 'delivery.notification_id')
    .innerJoin('notification_preference', 'notification_preference.agent_id', 'notification.agent_id')
    .selectAll('delivery')
    .select(['notification.agent_id', 'notification.payload', 'notification.type'])
    .select('notification_preference.webhook_secret')
    .$narrowType<{ webhook_secret: NotNull }>()
    .whereRef('notification_preference.webhook_url', '=', 'delivery.url')
    .where('notification_preference.webhook_secret', 'is not', null)
    .where('notification_preference.enabled', '=', 1)
    .where('delivery.repo_id', '=', filter.repoId)
    .where('delivery.status', '=', 'pending')
    .where('delivery.next_at', '<=', filter.now)
    .orderBy('delivery.next_at')
    .orderBy('delivery.id')
    .limit(filter.limit)
    .execute();
}

/** What waits to be sent, with whom it is for; where it names an agent, only to that one. */
export async function listPendingDeliveries(
  db: Db,
  filter: { repoId?: string; agentId?: string },
): Promise<{ id: string; agent_id: string; payload: string }[]> {
  let query = db
    .selectFrom('delivery')
    .innerJoin('notification', 'notification.id', 'delivery.notification_id')
    .select(['delivery.id', 'notification.agent_id', 'notification.payload'])
    .where('delivery.status', '=', 'pending');
  if (filter.repoId !== undefined) query = query.where('delivery.repo_id', '=', filter.repoId);
  if (filter.agentId !== undefined) query = query.where('notification.agent_id', '=', filter.agentId);
  return query.orderBy('delivery.id').execute();
}

export async function findDelivery(
  db: Db,
  id: string,
): Promise<(DeliveryRow & { agent_id: string }) | undefined> {
  return db
    .selectFrom('delivery')
    .innerJoin('notification', 'notification.id', 'delivery.notification_id')
    .selectAll('delivery')
    .select('notification.agent_id')
    .where('delivery.id', '=', id)
    .executeTakeFirst();
}

export async function updateDelivery(tx: Tx, id: string, changes: Partial<DeliveryRow>): Promise<void> {
  await tx.updateTable('delivery').set(changes).where('id', '=', id).execute();
}

/** How far a reader of the log has come: the `seq` of the last event it has dealt with. */
export async function findCursor(db: Db, name: string): Promise<number> {
  const row = await db
    .selectFrom('reactor_cursor')
    .select('cursor')
    .where('name', '=', name)
    .executeTakeFirst();
  return Number(row?.cursor ?? 0);
}

export async function setCursor(
  tx: Tx,
  name: string,
  { seq, now }: { seq: number; now: string },
): Promise<void> {
  const value = { cursor: String(seq), updated_at: now };
  await tx
    .insertInto('reactor_cursor')
    .values({ name, ...value })
    .onConflict((c) => c.column('name').doUpdateSet(value))
    .execute();
}

export function toNotification(row: NotificationRow): Notification {
  const event = JSON.parse(row.payload) as SwarmEvent;
  return {
    id: row.id,
    type: event.type,
    repoId: row.repo_id,
    actorName: event.actorName,
    subject: event.subject,
    data: event.data,
    read: row.read_at !== null,
    createdAt: row.created_at,
  };
}
