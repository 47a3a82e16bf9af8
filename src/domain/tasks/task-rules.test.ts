import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskStatus } from '../../contract/tasks.ts';
import {
  claimability,
  compareNext,
  isFinal,
  isLeaseOver,
  isReady,
  type NextPlace,
  ranOut,
  statusRank,
  type TaskFacts,
  whyNotReviewClaim,
} from './task-rules.ts';

const now = '2026-01-02T00:00:00.000Z';
const before = '2026-01-01T00:00:00.000Z';
const after = '2026-01-03T00:00:00.000Z';
const open: TaskFacts = { status: 'open', blockedReason: null, waitsFor: [], expiresAt: null, now };
const bob = { agentId: 'bob', name: 'bob', status: 'active' };

describe('a task is ready', () => {
  it.each<[string, Partial<TaskFacts>, boolean]>([
    ['when it is open', {}, true],
    ['until it expires', { expiresAt: after }, true],
    ['not once it has expired', { expiresAt: now }, false],
    ['not while it is blocked', { blockedReason: 'no key' }, false],
    ['not while it waits for another', { waitsFor: ['t-0000'] }, false],
    ['not when it is claimed', { status: 'claimed' }, false],
    ['not when it is completed', { status: 'completed' }, false],
  ])('%s', (_title, facts, ready) => {
    expect(isReady({ ...open, ...facts })).toBe(ready);
  });
});

describe('a claim', () => {
  it.each<[string, Partial<TaskFacts>, typeof bob | null, string]>([
    ['is free to take on an open task', {}, null, 'free'],
    ['is held by the one who has it', { status: 'claimed' }, { ...bob, agentId: 'ann' }, 'held'],
    ['is taken where another has it', { status: 'claimed' }, bob, 'claim_taken'],
    [
      'is taken where another has submitted',
      { status: 'submitted' },
      { ...bob, status: 'submitted' },
      'claim_taken',
    ],
    [
      'is over once submitted',
      { status: 'submitted' },
      { ...bob, agentId: 'ann', status: 'submitted' },
      'wrong_state',
    ],
    ['waits for dependencies', { waitsFor: ['t-0000'] }, null, 'gate_not_met'],
    ['is refused on a blocked task', { blockedReason: 'no key' }, null, 'wrong_state'],
    ['is refused on an expired task', { expiresAt: before }, null, 'wrong_state'],
    ['is refused on a completed task', { status: 'completed' }, null, 'wrong_state'],
    ['is refused on a cancelled task', { status: 'cancelled' }, null, 'wrong_state'],
  ])('%s', (_title, facts, holder, answer) => {
    const result = claimability({ ...open, ...facts }, holder, 'ann');
    expect(result.kind === 'refused' ? result.code : result.kind).toBe(answer);
  });

  it('is free exactly when the task is ready and nobody holds it', () => {
    const facts: fc.Arbitrary<TaskFacts> = fc.record({
      status: fc.constantFrom<TaskStatus>('open', 'claimed', 'submitted', 'completed', 'cancelled'),
      blockedReason: fc.constantFrom(null, 'why'),
      waitsFor: fc.subarray(['t-0000']),
      expiresAt: fc.constantFrom(null, before, now, after),
      now: fc.constant(now),
    });
    fc.assert(
      fc.property(facts, (task) => {
        expect(claimability(task, null, 'ann').kind === 'free').toBe(isReady(task));
      }),
    );
  });
});

describe('a lease', () => {
  it.each([
    ['is over at its end', 'active', now, true],
    ['holds until then', 'active', after, false],
    ['never ends on a submitted claim', 'submitted', before, false],
    ['never ends where there is none', 'active', null, false],
  ])('%s', (_title, status, lease_until, over) => {
    expect(isLeaseOver({ status, lease_until }, now)).toBe(over);
  });

  it('tells what ran out from what was given up', () => {
    expect(ranOut({ status: 'abandoned', lease_until: before })).toBe(true);
    expect(ranOut({ status: 'abandoned', lease_until: null })).toBe(false);
    expect(ranOut({ status: 'active', lease_until: before })).toBe(false);
  });
});

it('lets nobody judge their own submission, nor that of their operator', () => {
  const ann = { id: 'ann', operator: 'acme' };
  expect(whyNotReviewClaim(ann, ann)).toMatch(/own submission/);
  expect(whyNotReviewClaim(ann, { id: 'bob', operator: 'acme' })).toMatch(/acme/);
  expect(whyNotReviewClaim(ann, { id: 'bob', operator: 'other' })).toBeNull();
  expect(whyNotReviewClaim({ id: 'ann', operator: null }, { id: 'bob', operator: null })).toBeNull();
});

it('orders the statuses and calls the last two final', () => {
  const words: TaskStatus[] = ['open', 'claimed', 'submitted', 'completed', 'cancelled'];
  expect(words.map(statusRank)).toEqual([0, 1, 2, 3, 3]);
  expect(words.filter(isFinal)).toEqual(['completed', 'cancelled']);
});

describe('the next task', () => {
  const place = (id: string, rest: Partial<NextPlace> = {}): NextPlace => ({
    id,
    priority: 'medium',
    created_at: now,
    mine: false,
    ...rest,
  });

  it('is the most urgent, then the one meant for me, then the oldest', () => {
    const places = [
      place('young', { created_at: after }),
      place('old', { created_at: before }),
      place('mine', { created_at: after, mine: true }),
      place('low', { priority: 'low', created_at: before }),
      place('critical', { priority: 'critical', created_at: after }),
      place('high', { priority: 'high', created_at: after }),
    ];
    const order = places.sort(compareNext).map((p) => p.id);
    expect(order).toEqual(['critical', 'high', 'mine', 'old', 'young', 'low']);
  });

  it('is the same in whatever order the tasks come', () => {
    const places = fc.uniqueArray(
      fc.record({
        id: fc.uuid(),
        priority: fc.constantFrom('low', 'medium', 'high', 'critical'),
        created_at: fc.constantFrom(before, now, after),
        mine: fc.boolean(),
      }),
      { selector: (p) => p.id },
    );
    fc.assert(
      fc.property(places, (list) => {
        const there = [...list].sort(compareNext).map((p) => p.id);
        const back = [...list]
          .reverse()
          .sort(compareNext)
          .map((p) => p.id);
        expect(back).toEqual(there);
      }),
    );
  });
});
