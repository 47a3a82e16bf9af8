import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assignReviewers } from './assign-reviewers.ts';

it('gives each stream to the one who has the fewest', () => {
  const assigned = assignReviewers([
    { streamId: '1', candidates: ['b', 'a'] },
    { streamId: '2', candidates: ['a', 'b'] },
    { streamId: '3', candidates: ['a'] },
    { streamId: '4', candidates: ['a', 'b'] },
    { streamId: '5', candidates: [] },
  ]);
  expect([...assigned]).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'a'],
    ['4', 'b'],
  ]);
});

it('names exactly one of those who could, for every stream that has one, whatever their order', () => {
  const stream = fc.record({
    streamId: fc.uuid(),
    candidates: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(stream, { selector: (each) => each.streamId, maxLength: 10 }), (waiting) => {
      const assigned = assignReviewers(waiting);
      for (const { streamId, candidates } of waiting) {
        const chosen = assigned.get(streamId);
        if (candidates.length === 0) expect(chosen).toBeUndefined();
        else expect(candidates).toContain(chosen);
      }
      const turned = waiting.map((each) => ({ ...each, candidates: each.candidates.toReversed() }));
      expect(assignReviewers(turned)).toEqual(assigned);
    }),
  );
});
