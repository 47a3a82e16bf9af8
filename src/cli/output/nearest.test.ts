import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

const commands = [
  'init',
  'status',
  'stabilize',
  'stage',
  'merge',
  'queue',
  'review',
  'commit',
  'log',
  '--json',
];

test.each([
  ['stauts', 'status'],
  ['Merge', 'merge'],
  ['megre', 'merge'],
  ['reveiw', 'review'],
  ['stab', 'stabilize'],
  ['comit', 'commit'],
  ['--jsno', '--json'],
  ['lgo', 'log'],
  ['xyz', undefined],
  ['', undefined],
  ['x'.repeat(1000), undefined],
])('%s means %s', (word, meant) => {
  expect(nearest(word, commands)).toBe(meant);
});

test.each([
  ['ca', 'abc', 2],
  ['kitten', 'sitting', 3],
  ['ab', 'ba', 1],
  ['', 'abc', 3],
  ['same', 'same', 0],
])('from %s to %s', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test('the distance is a metric', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
