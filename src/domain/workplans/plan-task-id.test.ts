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
  for (const id of ids) expect(id).toMatch(/^019d0d86-.{4}-7/);
  expect(planTaskId('T1', 'someday').slice(0, 13)).toBe('00000000-0001');
});
