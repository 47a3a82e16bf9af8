import type { Review, Verdict } from '../../contract/reviews.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { ReviewRow, StreamRow } from '../../db/tables.ts';

/** Adds a review. A verdict takes the place of the reviewer's standing one; a comment never does. */
export async function insertReview(tx: Tx, row: ReviewRow): Promise<void> {
  if (row.standing === 1) {
    await tx
      .updateTable('review')
      .set({ standing: 0 })
      .where('stream_id', '=', row.stream_id)
      .where('reviewer_id', '=', row.reviewer_id)
      .where('standing', '=', 1)
      .execute();
  }
  await tx.insertInto('review').values(row).execute();
}

/** The verdicts that may count: those that stand, and those on single blocks. Oldest first. */
export async function listVerdictRows(db: Db, streamId: string, limit: number): Promise<ReviewRow[]> {
  return db
    .selectFrom('review')
    .selectAll()
    .where('stream_id', '=', streamId)
    .where((e) => e.or([e('standing', '=', 1), e('review_block_id', 'is not', null)]))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Oldest first. */
export async function listReviewRows(
  db: Db,
  filter: { streamId: string; standing?: boolean; afterId?: string | undefined; limit: number },
): Promise<ReviewRow[]> {
  let query = db.selectFrom('review').selectAll().where('stream_id', '=', filter.streamId);
  if (filter.standing) query = query.where('standing', '=', 1);
  if (filter.afterId) query = query.where('id', '>', filter.afterId);
  return query.orderBy('id').limit(filter.limit).execute();
}

export async function toReviews(db: Db, rows: ReviewRow[], stream: StreamRow): Promise<Review[]> {
  if (rows.length === 0) return [];
  const ids = [...new Set(rows.map((row) => row.reviewer_id))];
  const agents = await db.selectFrom('agent').select(['id', 'name']).where('id', 'in', ids).execute();
  const names = new Map(agents.map((agent) => [agent.id, agent.name]));
  return rows.map((row) => ({
    id: row.id,
    streamId: row.stream_id,
    reviewerId: row.reviewer_id,
    reviewerName: names.get(row.reviewer_id) ?? '',
    verdict: row.verdict as Verdict,
    feedback: row.feedback,
    isHuman: row.is_human === 1,
    tested: row.tested === 1,
    head: row.head,
    patchId: row.patch_id,
    reviewBlockId: row.review_block_id,
    standing: row.standing === 1,
    stale: row.review_block_id === null && row.patch_id !== stream.patch_id,
    reviewedAt: row.reviewed_at,
  }));
}
