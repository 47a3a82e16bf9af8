import type { ReviewerStats } from '../../contract/karma.ts';

/** A verdict as its outcome is judged by. */
export interface JudgedVerdict {
  reviewId: string;
  reviewerId: string;
  verdict: string;
  patchId: string;
}

export interface VerdictOutcome {
  reviewId: string;
  reviewerId: string;
  outcome: 'confirmed' | 'refuted';
  reason: string;
}

/**
 * What a landing, or its revert, says about the verdicts on the stream, oldest first. Of one reviewer's verdicts on the
 * same change the last counts. An approval of something else than what landed, and a comment, say nothing.
 */
export function outcomesOf(
  verdicts: readonly JudgedVerdict[],
  landed: { patchId: string; reverted: boolean },
): VerdictOutcome[] {
  const last = new Map<string, JudgedVerdict>();
  for (const verdict of verdicts) {
    if (verdict.verdict === 'comment') continue;
    last.set(JSON.stringify([verdict.reviewerId, verdict.patchId]), verdict);
  }
  const outcomes: VerdictOutcome[] = [];
  for (const { reviewId, reviewerId, verdict, patchId } of last.values()) {
    const saw = patchId === landed.patchId;
    const add = (outcome: VerdictOutcome['outcome'], reason: string) =>
      outcomes.push({ reviewId, reviewerId, outcome, reason });
    if (verdict === 'approve' && saw && landed.reverted) add('refuted', 'approved what was reverted');
    else if (verdict === 'approve' && saw) add('confirmed', 'approved what landed');
    else if (verdict === 'request_changes' && saw && landed.reverted)
      add('confirmed', 'warned of what was reverted');
    else if (verdict === 'request_changes' && saw) add('refuted', 'rejected what landed');
    else if (verdict === 'request_changes') add('confirmed', 'rejected what was changed before it landed');
  }
  return outcomes;
}

/** One half where nothing is known; nearer to 1 or 0 the more is. Four digits. */
export function accuracyOf({ confirmed, refuted }: Pick<ReviewerStats, 'confirmed' | 'refuted'>): number {
  return Math.round(((confirmed + 1) / (confirmed + refuted + 2)) * 10_000) / 10_000;
}
