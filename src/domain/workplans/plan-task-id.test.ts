import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isId } from '../../base/ids.ts';
import { planTaskId } from './plan-task-id.ts';

it('a block gives the same id everywhere, and another block another', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, created) => {
      expect(isId(planTaskId(a, created))).toBe(true);
      expect(planTaskId(a, created)).toBe(planTaskId(a, created));
      expect(planTaskId(a, created) === planTaskId(b, created)).toBe(a === b);
    }),
  );
});

it('is a UUIDv7 of the day of the plan; tasks sort by their number', () => {
  const ids = ['WP-7-T10', 'WP-7-T9', 'WP-7-T1'].map((id) => planTaskId(id, '2026-03-21'));
  expect(ids.toSorted()).toEqual(ids.toReversed());
  const times = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16));
  expect(times).toEqual([10, 9, 1].map((number) => Date.parse('2026-03-21') + number));
  for (const id of ids) expect(id[14]).toBe('7');
  expect(planTaskId('T1', 'someday').slice(0, 13)).toBe('00000000-0001');
});
