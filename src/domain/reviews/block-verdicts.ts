import type { ReviewRow } from '../../db/tables.ts';
import type { Block } from './blocks.ts';
import {
  type ConsensusFacts,
  type ConsensusResult,
  type StandingVerdict,
  tallyConsensus,
} from './consensus.ts';

/** A verdict as it is stored, on a stream or on one of its blocks. */
export type VerdictRow = Pick<
  ReviewRow,
  | 'id'
  | 'reviewer_id'
  | 'verdict'
  | 'patch_id'
  | 'stream_patch_id'
  | 'is_human'
  | 'reviewed_at'
  | 'review_block_id'
>;

/** A block with each reviewer's last verdict on it, as it is now. */
export interface BlockRows extends Block {
  rows: VerdictRow[];
}

export interface JudgedBlock extends BlockRows {
  verdicts: StandingVerdict[];
}

/** Blocks with the verdicts on them; a verdict on what a block held before is left out, and so is a comment. */
export function blocksWithVerdicts(blocks: readonly Block[], rows: readonly VerdictRow[]): BlockRows[] {
  return blocks.map((block) => {
    const last = new Map<string, VerdictRow>();
    for (const row of rows) {
      if (row.review_block_id !== block.id || row.verdict === 'comment') continue;
      last.set(row.reviewer_id, row);
    }
    return { ...block, rows: [...last.values()].filter((row) => row.patch_id === block.patchId) };
  });
}

/**
 * Rejections of blocks that are none any more although the stream is the change it was: its author has joined or split
 * them, or named their commits anew. They stand for the whole, which is what was rejected a part of.
 */
export function homelessRejections<Row extends VerdictRow>(
  rows: readonly Row[],
  blocks: readonly Block[],
  patchId: string,
): Row[] {
  const last = new Map<string, Row>();
  for (const row of rows) {
    if (row.review_block_id !== null && row.verdict !== 'comment')
      last.set(`${row.reviewer_id} ${row.review_block_id}`, row);
  }
  return [...last.values()].filter(
    (row) =>
      row.verdict === 'request_changes' &&
      row.stream_patch_id === patchId &&
      !blocks.some((block) => block.id === row.review_block_id && block.patchId === row.patch_id),
  );
}

/**
 * Each reviewer's verdict on the stream as a whole. Who judged block by block approves it by approving all of them and
 * asks for changes by asking for them in one; the later of both ways counts.
 */
export function wholeVerdicts(
  rows: readonly VerdictRow[],
  blocks: readonly BlockRows[],
  patchId: string,
): VerdictRow[] {
  const whole = new Map(
    rows.filter((row) => row.review_block_id === null).map((row) => [row.reviewer_id, row]),
  );
  const onBlocks = blocks.flatMap((block) => block.rows);
  const homeless = homelessRejections(rows, blocks, patchId);
  for (const reviewer of new Set([...onBlocks, ...homeless].map((row) => row.reviewer_id))) {
    const given = onBlocks.filter((row) => row.reviewer_id === reviewer);
    const isOnAll = given.length === blocks.length;
    const lost = homeless.filter(
      (row) => row.reviewer_id === reviewer && !(isOnAll && given.every((each) => isLater(each, row))),
    );
    const rejected = lost.length > 0 || given.some((row) => row.verdict === 'request_changes');
    const latest = [...given, ...lost].toSorted((a, b) => (isLater(a, b) ? 1 : -1)).at(-1);
    if (!latest || !(rejected || isOnAll)) continue;
    const before = whole.get(reviewer);
    if (before && before.patch_id === patchId && before.reviewed_at > latest.reviewed_at) continue;
    const verdict = rejected ? 'request_changes' : 'approve';
    whole.set(reviewer, { ...latest, verdict, patch_id: patchId });
  }
  return [...whole.values()];
}

/** The consensus on each block; a verdict on the whole stream is one on each of its blocks that was not judged since. */
export function tallyBlocks(facts: ConsensusFacts, blocks: readonly JudgedBlock[]): ConsensusResult[] {
  return blocks.map((block) => {
    const own = new Map(block.verdicts.map((verdict) => [verdict.reviewerId, verdict]));
    for (const verdict of facts.verdicts) {
      const judged = own.get(verdict.reviewerId);
      if (verdict.patchId !== facts.patchId || (judged && judged.reviewedAt >= verdict.reviewedAt)) continue;
      // What asks for changes in one block does not speak of the others.
      const fromBlocks = blocks.some((each) =>
        each.rows.some(
          (row) => row.reviewer_id === verdict.reviewerId && row.reviewed_at === verdict.reviewedAt,
        ),
      );
      if (!fromBlocks) own.set(verdict.reviewerId, { ...verdict, patchId: block.patchId });
    }
    return tallyConsensus({ ...facts, patchId: block.patchId, verdicts: [...own.values()] });
  });
}

/** Reached where every block is, by those who decided about any of them; else as the whole was. */
export function byBlocks(whole: ConsensusResult, blocks: readonly ConsensusResult[]): ConsensusResult {
  if (!blocks.every((block) => block.reached)) return whole;
  const votes = new Map(whole.votes.map((vote) => [vote.reviewer, vote]));
  for (const vote of blocks.flatMap((block) => block.votes)) {
    if (vote.counts && vote.verdict === 'approve') votes.set(vote.reviewer, vote);
  }
  return {
    ...whole,
    state: 'reached',
    reached: true,
    score: Math.min(...blocks.map((block) => block.score)),
    approvals: Math.min(...blocks.map((block) => block.approvals)),
    rejections: Math.max(...blocks.map((block) => block.rejections)),
    votes: [...votes.values()],
    reasons: [`each of its ${blocks.length} blocks has consensus`],
  };
}

function isLater(a: VerdictRow, b: VerdictRow): boolean {
  return a.reviewed_at === b.reviewed_at ? a.id > b.id : a.reviewed_at > b.reviewed_at;
}
