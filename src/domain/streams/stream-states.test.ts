import { describe, expect, it } from 'vitest';
import { StreamState } from '../../contract/streams.ts';
import {
  acceptsCommits,
  isOpen,
  nextState,
  refuseState,
  type StreamHappening,
  statusPair,
} from './stream-states.ts';

const STATES = StreamState.options;

/** Every state, in the order of the contract, for every happening; `-` where it cannot happen. */
const TABLE: Record<StreamHappening, string> = {
  //                active            in_review         changes_requested approved          queued            conflicted        paused    merged abandoned
  change:
    'active            in_review         changes_requested in_review         in_review         active            -         -      -',
  rebase:
    'active            in_review         changes_requested approved          approved          active            paused    -      -',
  submit:
    'in_review         in_review         in_review         approved          queued            -                 -         -      -',
  request_changes:
    'active            changes_requested changes_requested changes_requested changes_requested conflicted        -         -      -',
  reach_consensus:
    'active            approved          approved          approved          queued            conflicted        -         -      -',
  lose_consensus:
    'active            in_review         changes_requested in_review         in_review         conflicted        -         -      -',
  queue:
    'queued            queued            queued            queued            queued            -                 -         -      -',
  dequeue:
    'active            in_review         changes_requested approved          approved          conflicted        -         -      -',
  conflict:
    'conflicted        conflicted        conflicted        conflicted        conflicted        conflicted        -         -      -',
  pause:
    'paused            paused            paused            paused            paused            paused            -         -      -',
  abandon:
    'abandoned         abandoned         abandoned         abandoned         abandoned         abandoned         abandoned -      -',
  land: 'merged            merged            merged            merged            merged            merged            -         -      -',
  finish:
    'merged            merged            merged            merged            merged            merged            -         -      -',
};

describe.each(Object.entries(TABLE) as [StreamHappening, string][])('%s', (happening, row) => {
  it.each(row.split(/ +/).map((next, i) => [STATES[i] ?? 'active', next] as const))(
    '%s -> %s',
    (state, next) => {
      expect(nextState(state, happening) ?? '-').toBe(next);
    },
  );
});

describe('leaving the queue or a conflict goes back to where the stream was', () => {
  it.each([
    ['queued', 'dequeue', 'active', 'active'],
    ['queued', 'rebase', 'in_review', 'in_review'],
    ['queued', 'change', 'active', 'active'],
    ['queued', 'change', 'approved', 'in_review'],
    ['queued', 'lose_consensus', 'active', 'active'],
    ['queued', 'lose_consensus', 'approved', 'in_review'],
    ['conflicted', 'rebase', 'approved', 'approved'],
    ['conflicted', 'change', 'approved', 'in_review'],
    ['conflicted', 'change', 'in_review', 'in_review'],
    ['conflicted', 'change', 'changes_requested', 'changes_requested'],
  ] as const)('%s, %s, before %s -> %s', (state, happening, before, next) => {
    expect(nextState(state, happening, before)).toBe(next);
  });
});

it('commits are taken by every stream that is neither merged, abandoned nor paused', () => {
  expect(STATES.filter((state) => !acceptsCommits(state))).toEqual(['paused', 'merged', 'abandoned']);
  expect(STATES.filter((state) => !isOpen(state))).toEqual(['merged', 'abandoned']);
});

it('every state is also told as a status and a review status', () => {
  const pairs = Object.fromEntries(
    STATES.map((state) => [state, Object.values(statusPair(state)).map(String).join(' ')]),
  );
  expect(pairs).toEqual({
    active: 'active null',
    in_review: 'in_review in_review',
    changes_requested: 'active changes_requested',
    approved: 'in_review approved',
    queued: 'in_review approved',
    conflicted: 'active null',
    paused: 'active null',
    merged: 'merged null',
    abandoned: 'abandoned null',
  });
});

it('a refusal names what was tried, in which state, and the way out', () => {
  expect(() => refuseState('s-1', 'changes_requested', 'land')).toThrow(
    'Stream s-1 is changes requested: it cannot land.',
  );
  expect(() => refuseState('s-1', 'paused', 'land')).toThrow(
    expect.objectContaining({
      code: 'wrong_state',
      fix: 'gitswarm stream resume s-1',
      details: { state: 'paused' },
    }),
  );
  expect(() => refuseState('s-1', 'merged', 'merge')).toThrow(expect.objectContaining({ code: 'conflict' }));
});
