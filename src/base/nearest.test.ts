import fc from 'fast-check';
import { expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

it('finds the word that was meant', () => {
  const words = ['merge_mode', 'min_reviews', 'push'];
  expect(nearest('merge_mod', words)).toBe('merge_mode');
  expect(nearest('PUSH', words)).toBe('push');
  expect(nearest('zzzzzzzzzzzz', words)).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});

it('counts as a distance does', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, a)).toBe(0);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
