import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareInQueue, type QueuePlace } from './queue-order.ts';

function place(id: string, changes: Partial<QueuePlace> = {}): QueuePlace {
  return {
    id,
    kind: 'stream',
    priority: 'medium',
    rank: 0,
    requested_at: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}
const order = (...places: QueuePlace[]) => places.sort(compareInQueue).map((each) => each.id);

it('reverts and intakes land first, then streams by their priority', () => {
  expect(
    order(
      place('low', { priority: 'low' }),
      place('medium'),
      place('high', { priority: 'high' }),
      place('critical', { priority: 'critical' }),
      place('revert', { kind: 'revert', priority: 'low' }),
      place('intake', { kind: 'intake', priority: 'low', requested_at: '2026-01-02T00:00:00.000Z' }),
    ),
  ).toEqual(['revert', 'intake', 'critical', 'high', 'medium', 'low']);
});

it('among equals what was moved to the front comes first, then what was asked for first', () => {
  const later = '2026-01-01T00:00:00.001Z';
  expect(
    order(
      place('c', { requested_at: later }),
      place('b'),
      place('a'),
      place('moved', { requested_at: later, rank: -1 }),
    ),
  ).toEqual(['moved', 'a', 'b', 'c']);
});

it('a move to the front does not leave its class', () => {
  expect(order(place('low', { priority: 'low', rank: -9 }), place('high', { priority: 'high' }))).toEqual([
    'high',
    'low',
  ]);
});

it('is one order whatever the list began as', () => {
  const anyPlace = fc.record({
    id: fc.uuid(),
    kind: fc.constantFrom('stream', 'revert', 'intake'),
    priority: fc.constantFrom('critical', 'high', 'medium', 'low'),
    rank: fc.integer({ min: -2, max: 1 }),
    requested_at: fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'),
  });
  const lists = fc
    .uniqueArray(anyPlace, { selector: (each) => each.id })
    .chain((places) =>
      fc.tuple(fc.constant(places), fc.shuffledSubarray(places, { minLength: places.length })),
    );
  fc.assert(
    fc.property(lists, ([places, shuffled]) => {
      expect(order(...shuffled)).toEqual(order(...places));
    }),
  );
});
