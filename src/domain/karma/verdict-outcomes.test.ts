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

it.each([
  [0, 0, 0.5],
  [1, 0, 0.6667],
  [0, 3, 0.2],
])('%i confirmed and %i refuted verdicts are an accuracy of %f', (confirmed, refuted, accuracy) => {
  expect(accuracyOf({ confirmed, refuted })).toBe(accuracy);
});
