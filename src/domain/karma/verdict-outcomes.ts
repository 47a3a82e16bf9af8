import type { ReviewerStats } from '../../contract/karma.ts';

/** A verdict as its outcome is judged by. */
export interface JudgedVerdict {
  reviewId: string;
  reviewerId: string;
  verdict: string;
  patchId: string;
  /** It was given on a part of what landed. */
  sawLanding?: boolean;
  /** An earlier landing of the stream has said something about it. */
  isJudged?: boolean;
}

export interface VerdictOutcome {
  reviewId: string;
  reviewerId: string;
  outcome: 'confirmed' | 'refuted';
  reason: string;
}

export const REASONS = {
  approvedLanding: 'approved what landed',
  approvedReverted: 'approved what was reverted',
  warned: 'warned of what was reverted',
  rejectedLanding: 'rejected what landed',
  rejectedEarlier: 'rejected what was changed before it landed',
} as const;

/**
 * What a landing, or its revert, says about the verdicts on the stream, oldest first. Of one reviewer's verdicts on the
 * same change the last counts. An approval of something else than what landed, and a comment, say nothing, unless it is
 * the approval by which its giver decided. That something else was rejected is confirmed once, by the landing that came
 * after it.
 */
export function outcomesOf(
  verdicts: readonly JudgedVerdict[],
  landed: { patchId: string; reverted: boolean; deciders?: readonly string[] },
): VerdictOutcome[] {
  const last = new Map<string, JudgedVerdict>();
  for (const verdict of verdicts) {
    if (verdict.verdict === 'comment') continue;
    last.set(JSON.stringify([verdict.reviewerId, verdict.patchId]), verdict);
  }
  const given = [...last.values()];
  const isOnLanding = (one: JudgedVerdict) => one.sawLanding === true || one.patchId === landed.patchId;
  const deciding = (landed.deciders ?? []).map((id) => {
    const own = given.filter(({ reviewerId }) => reviewerId === id);
    return own.some(isOnLanding) ? undefined : own.findLast(({ verdict }) => verdict === 'approve');
  });
  return given.flatMap((one) => {
    const saw = isOnLanding(one) || deciding.includes(one);
    const judged = outcomeOf(one, { saw, reverted: landed.reverted });
    return judged ? [{ reviewId: one.reviewId, reviewerId: one.reviewerId, ...judged }] : [];
  });
}

function outcomeOf(
  { verdict, isJudged }: JudgedVerdict,
  { saw, reverted }: { saw: boolean; reverted: boolean },
): Pick<VerdictOutcome, 'outcome' | 'reason'> | undefined {
  if (verdict === 'approve') {
    if (!saw) return undefined;
    return reverted
      ? { outcome: 'refuted', reason: REASONS.approvedReverted }
      : { outcome: 'confirmed', reason: REASONS.approvedLanding };
  }
  if (!saw)
    return reverted || isJudged ? undefined : { outcome: 'confirmed', reason: REASONS.rejectedEarlier };
  return reverted
    ? { outcome: 'confirmed', reason: REASONS.warned }
    : { outcome: 'refuted', reason: REASONS.rejectedLanding };
}

/** One half where nothing is known; nearer to 1 or 0 the more is. Four digits. */
export function accuracyOf({ confirmed, refuted }: Pick<ReviewerStats, 'confirmed' | 'refuted'>): number {
  return Math.round(((confirmed + 1) / (confirmed + refuted + 2)) * 10_000) / 10_000;
}
