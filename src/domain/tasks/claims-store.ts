import { sql } from 'kysely';
import { SwarmError } from '../../contract/errors.ts';
import type { Claim } from '../../contract/tasks.ts';
import type { Db, Tx } from '../../db/database.ts';
import { isUniqueViolation } from '../../db/dialect-sql.ts';
import type { ClaimRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';

/** The claims that keep others from a task. */
export const LIVE_CLAIMS = ['active', 'submitted'];

export async function getClaimRow(db: Db, id: string): Promise<ClaimRow> {
  const row = await db.selectFrom('claim').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row)
    throw new SwarmError('not_found', `There is no claim ${id}.`, { fix: 'gitswarm task list --mine' });
  return row;
}

/**
 * The claim that counts for a task: the live one, else the one that was approved, else the newest. A claim that was
 * taken back after its lease ran out is live, and older than that of whoever had the task in between.
 */
export async function findClaimOfTask(db: Db, taskId: string): Promise<ClaimRow | undefined> {
  const worth = sql`case when status in ('active', 'submitted') then 0 when status = 'approved' then 1 else 2 end`;
  return db
    .selectFrom('claim')
    .selectAll()
    .where('task_id', '=', taskId)
    .orderBy(worth)
    .orderBy('claimed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The newest claim of a task that belongs to this stream. */
export async function findClaimOfStream(
  db: Db,
  taskId: string,
  streamId: string,
): Promise<ClaimRow | undefined> {
  return newest(db).where('task_id', '=', taskId).where('stream_id', '=', streamId).executeTakeFirst();
}

/** The one claim of a task that is active or submitted; its lease may be over. */
export async function findLiveClaim(db: Db, taskId: string): Promise<ClaimRow | undefined> {
  return newest(db).where('task_id', '=', taskId).where('status', 'in', LIVE_CLAIMS).executeTakeFirst();
}

function newest(db: Db) {
  return db.selectFrom('claim').selectAll().orderBy('claimed_at', 'desc').orderBy('id', 'desc').limit(1);
}

/** Two live claims of one task cannot be: the later one is refused as taken. */
export async function insertClaim(
  tx: Tx,
  claim: Omit<ClaimRow, 'handle' | 'handle_length'>,
): Promise<ClaimRow> {
  const row: ClaimRow = { ...claim, ...(await newHandle(tx, 'claim', claim.id)) };
  try {
    await tx.insertInto('claim').values(row).execute();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new SwarmError('claim_taken', 'Another agent has claimed this task at the same moment.', {
      fix: 'gitswarm task next --claim',
      cause: error,
    });
  }
  return row;
}

export async function updateClaimRow(tx: Tx, id: string, changes: Partial<ClaimRow>): Promise<ClaimRow> {
  return tx.updateTable('claim').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** An agent's claims, newest first. */
export async function listClaims(
  db: Db,
  filter: { agentId: string; statuses?: string[] | undefined; beforeId?: string | undefined; limit: number },
): Promise<ClaimRow[]> {
  let query = db.selectFrom('claim').selectAll().where('agent_id', '=', filter.agentId);
  if (filter.statuses) query = query.where('status', 'in', filter.statuses);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}

/** Active claims whose lease is over, those over the longest first. */
export async function listExpiredClaims(db: Db, now: string, limit = 200): Promise<ClaimRow[]> {
  return db
    .selectFrom('claim')
    .selectAll()
    .where('status', '=', 'active')
    .where('lease_until', '<=', now)
    .orderBy('lease_until')
    .orderBy('id')
    .limit(limit)
    .execute();
}

export function toClaim(row: ClaimRow): Claim {
  return {
    id: row.id,
    handle: handleOf('claim', row),
    taskId: row.task_id,
    agentId: row.agent_id,
    streamId: row.stream_id,
    status: row.status as Claim['status'],
    notes: row.notes,
    leaseUntil: row.lease_until,
    claimedAt: row.claimed_at,
    submittedAt: row.submitted_at,
    reviewedBy: JSON.parse(row.reviewed_by) as string[],
    reviewNotes: row.review_notes,
    payoutAmount: row.payout_amount,
  };
}
