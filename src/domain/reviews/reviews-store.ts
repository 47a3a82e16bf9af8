import type { Review, Verdict } from '../../contract/reviews.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { ReviewRow, StreamRow } from '../../db/tables.ts';
import { blocksOfStream } from './blocks-store.ts';

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

/** Verdicts on blocks of a stream go on speaking of it after others of its blocks have left. */
export async function keepOnBlocks(tx: Tx, stream: StreamRow, patchBefore: string): Promise<void> {
  await tx
    .updateTable('review')
    .set({ stream_patch_id: stream.patch_id })
    .where('stream_id', '=', stream.id)
    .where('stream_patch_id', '=', patchBefore)
    .execute();
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
  const isOnBlocks = rows.some((row) => row.review_block_id !== null);
  const blocks = isOnBlocks ? await blocksOfStream(db, stream) : [];
  const isCurrent = (row: ReviewRow) =>
    row.review_block_id === null
      ? row.patch_id === stream.patch_id
      : blocks.some((block) => block.id === row.review_block_id && block.patchId === row.patch_id);
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
    stale: !isCurrent(row),
    reviewedAt: row.reviewed_at,
  }));
}
