import { expect, it } from 'vitest';
import { accuracyOf, outcomesOf } from './verdict-outcomes.ts';

const verdict = (
  reviewerId: string,
  word: string,
  patchId = 'p',
  reviewId = `${reviewerId} ${word} ${patchId}`,
) => ({
  reviewId,
  reviewerId,
  verdict: word,
  patchId,
});

it.each([
  ['approve', 'p', false, 'confirmed'],
  ['approve', 'p', true, 'refuted'],
  ['approve', 'older', false, undefined],
  ['request_changes', 'p', false, 'refuted'],
  ['request_changes', 'p', true, 'confirmed'],
  ['request_changes', 'older', false, 'confirmed'],
  ['comment', 'p', false, undefined],
])('%s of patch %s (reverted: %s) is %s', (word, patchId, reverted, outcome) => {
  expect(outcomesOf([verdict('ann', word, patchId)], { patchId: 'p', reverted })[0]?.outcome).toBe(outcome);
});

it('the last verdict on the same change is the one that counts', () => {
  const outcomes = outcomesOf([verdict('ann', 'request_changes'), verdict('ann', 'approve')], {
    patchId: 'p',
    reverted: false,
  });
  expect(outcomes).toEqual([
    { reviewId: 'ann approve p', reviewerId: 'ann', outcome: 'confirmed', reason: 'approved what landed' },
  ]);
});

it('of a decider who saw nothing of what landed, the approval by which they decided counts', () => {
  const verdicts = [verdict('ann', 'approve', 'old'), verdict('ann', 'approve', 'part')];
  const landed = { patchId: 'p', reverted: false, deciders: ['ann'] };
  expect(outcomesOf(verdicts, landed)).toMatchObject([{ reviewId: 'ann approve part' }]);
  expect(outcomesOf([...verdicts, verdict('ann', 'approve')], landed)).toMatchObject([
    { reviewId: 'ann approve p' },
  ]);
});

it('a rejection of a part that landed as it was is refuted, and one that was judged before is let be', () => {
  const rejected = verdict('ann', 'request_changes', 'part');
  const reasons = (more: object, reverted = false) =>
    outcomesOf([{ ...rejected, ...more }], { patchId: 'p', reverted }).map(({ reason }) => reason);
  expect(reasons({ sawLanding: true })).toEqual(['rejected what landed']);
  expect(reasons({ sawLanding: true }, true)).toEqual(['warned of what was reverted']);
  expect(reasons({ isJudged: true })).toEqual([]);
  expect(reasons({})).toEqual(['rejected what was changed before it landed']);
  expect(reasons({}, true)).toEqual([]);
});

it.each([
  [0, 0, 0.5],
  [1, 0, 0.6667],
  [0, 3, 0.2],
])('%i confirmed and %i refuted verdicts are an accuracy of %f', (confirmed, refuted, accuracy) => {
  expect(accuracyOf({ confirmed, refuted })).toBe(accuracy);
});
