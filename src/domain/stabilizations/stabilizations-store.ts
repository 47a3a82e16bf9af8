import type { Promotion, Stabilization } from '../../contract/stabilizations.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { PromotionRow, StabilizationRow } from '../../db/tables.ts';

export async function insertStabilization(tx: Tx, row: StabilizationRow): Promise<void> {
  await tx.insertInto('stabilization').values(row).execute();
}

/** Says more about a result that was recorded. */
export async function updateStabilization(tx: Tx, { id, ...row }: StabilizationRow): Promise<void> {
  await tx.updateTable('stabilization').set(row).where('id', '=', id).execute();
}

/** Says of the red runs that blamed a landing which revert took it back. */
export async function recordRevert(tx: Tx, merges: { culprit: string; revert: string }): Promise<void> {
  await tx
    .updateTable('stabilization')
    .set({ revert_merge_id: merges.revert })
    .where('culprit_merge_id', '=', merges.culprit)
    .where('revert_merge_id', 'is', null)
    .execute();
}

/** True where a red run of the buffer blames this landing. */
export async function isBlamed(db: Db, merge: { id: string; repo_id: string }): Promise<boolean> {
  const row = await db
    .selectFrom('stabilization')
    .select('id')
    .where('repo_id', '=', merge.repo_id)
    .where('culprit_merge_id', '=', merge.id)
    .where('result', '=', 'red')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

type WithCulprit = StabilizationRow & { culprit_stream_id: string | null };

/** Newest first, with the stream behind the landing that is to blame. */
export async function listStabilizationRows(
  db: Db,
  filter: {
    repoId: string;
    result?: string | undefined;
    commit?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<WithCulprit[]> {
  let query = db
    .selectFrom('stabilization')
    .leftJoin('merge', 'merge.id', 'stabilization.culprit_merge_id')
    .selectAll('stabilization')
    .select('merge.stream_id as culprit_stream_id')
    .where('stabilization.repo_id', '=', filter.repoId);
  if (filter.result) query = query.where('stabilization.result', '=', filter.result);
  if (filter.commit) query = query.where('stabilization.commit_hash', '=', filter.commit);
  if (filter.beforeId) query = query.where('stabilization.id', '<', filter.beforeId);
  return query.orderBy('stabilization.id', 'desc').limit(filter.limit).execute();
}

/** The newest run of the buffer, or the newest with this result. */
export async function findLastStabilization(
  db: Db,
  repoId: string,
  result?: Stabilization['result'],
): Promise<WithCulprit | undefined> {
  return (await listStabilizationRows(db, { repoId, result, limit: 1 }))[0];
}

export function toStabilization(row: WithCulprit): Stabilization {
  return {
    id: row.id,
    repoId: row.repo_id,
    result: row.result as Stabilization['result'],
    commit: row.commit_hash,
    tag: row.tag,
    culpritMergeId: row.culprit_merge_id,
    culpritStreamId: row.culprit_stream_id,
    revertMergeId: row.revert_merge_id,
    taskId: row.task_id,
    durationMs: row.duration_ms,
    runs: row.runs,
    details: row.details,
    actorId: row.actor_id,
    stabilizedAt: row.stabilized_at,
  };
}

export async function insertPromotion(tx: Tx, row: PromotionRow): Promise<void> {
  await tx.insertInto('promotion').values(row).execute();
}

/** Newest first. */
export async function listPromotionRows(
  db: Db,
  filter: { repoId: string; beforeId?: string | undefined; limit: number },
): Promise<PromotionRow[]> {
  let query = db.selectFrom('promotion').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}

export function toPromotion(row: PromotionRow): Promotion {
  return {
    id: row.id,
    repoId: row.repo_id,
    from: row.from_branch,
    to: row.to_branch,
    fromCommit: row.from_commit,
    toCommit: row.to_commit,
    untested: row.untested === 1,
    triggeredBy: row.triggered_by as Promotion['triggeredBy'],
    actorId: row.actor_id,
    promotedAt: row.promoted_at,
  };
}
