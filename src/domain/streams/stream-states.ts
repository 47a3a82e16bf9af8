import type * as z from 'zod';
import { SwarmError } from '../../contract/errors.ts';
import type { ReviewStatus, StreamState, StreamStatus } from '../../contract/streams.ts';

/** What can happen to a stream, in the words of the events that tell of it. */
export type StreamHappening =
  | 'change' // a commit, a rewrite or a resolution that changes the patch
  | 'rebase' // the same patch on another base
  | 'submit'
  | 'request_changes'
  | 'reach_consensus'
  | 'lose_consensus'
  | 'queue'
  | 'dequeue'
  | 'conflict'
  | 'pause'
  | 'abandon'
  | 'land'
  | 'finish';

const OPEN: StreamState[] = ['active', 'in_review', 'changes_requested', 'approved', 'queued', 'conflicted'];

/**
 * The state a stream goes to, or undefined where this cannot happen in its state. `before` is the state that a queued
 * or conflicted stream came from: leaving the queue or resolving the conflict goes back there. `resume` and `reopen`
 * are not here: they go back to the state that was remembered.
 */
export function nextState(
  state: StreamState,
  happening: StreamHappening,
  before: StreamState | null = null,
): StreamState | undefined {
  if (!OPEN.includes(state) && !(state === 'paused' && (happening === 'abandon' || happening === 'rebase'))) {
    return undefined;
  }
  const work = workState(state, before);
  switch (happening) {
    case 'change':
      return work === 'approved' ? 'in_review' : work;
    case 'rebase':
      return work;
    case 'submit':
      return state === 'queued' || state === 'approved'
        ? state
        : state === 'conflicted'
          ? undefined
          : 'in_review';
    case 'request_changes':
      return state === 'active' || state === 'conflicted' ? state : 'changes_requested';
    case 'reach_consensus':
      return state === 'in_review' || state === 'changes_requested' ? 'approved' : state;
    case 'lose_consensus':
      if (state === 'conflicted') return state;
      return work === 'approved' ? 'in_review' : work;
    case 'queue':
      return state === 'conflicted' ? undefined : 'queued';
    case 'dequeue':
      return state === 'queued' ? work : state;
    case 'conflict':
      return 'conflicted';
    case 'pause':
      return 'paused';
    case 'abandon':
      return 'abandoned';
    case 'land':
    case 'finish':
      return 'merged';
  }
}

/** The state of the work itself, where being queued or conflicted lies over it; a merge may be asked for in any. */
export function workState(state: StreamState, before: StreamState | null): StreamState {
  if (state === 'queued') return before ?? 'approved';
  if (state === 'conflicted') return before ?? 'active';
  return state;
}

/** True where an author may still commit: not on merged, abandoned or paused streams. */
export function acceptsCommits(state: StreamState): boolean {
  return OPEN.includes(state);
}

export function isOpen(state: StreamState): boolean {
  return state !== 'merged' && state !== 'abandoned';
}

/** The stored state as the pair `status` and `reviewStatus` that other programs know. */
export function statusPair(state: StreamState): {
  status: StreamStatusWord;
  reviewStatus: z.infer<typeof ReviewStatus> | null;
} {
  switch (state) {
    case 'in_review':
      return { status: 'in_review', reviewStatus: 'in_review' };
    case 'changes_requested':
      return { status: 'active', reviewStatus: 'changes_requested' };
    case 'approved':
    case 'queued':
      return { status: 'in_review', reviewStatus: 'approved' };
    case 'merged':
      return { status: 'merged', reviewStatus: null };
    case 'abandoned':
      return { status: 'abandoned', reviewStatus: null };
    default:
      return { status: 'active', reviewStatus: null };
  }
}

type StreamStatusWord = z.infer<typeof StreamStatus>;

/** Throws wrong_state, saying what was tried in which state and how to go on. */
export function refuseState(handle: string, state: StreamState, tried: string): never {
  const fix: Partial<Record<StreamState, string>> = {
    paused: `gitswarm stream resume ${handle}`,
    abandoned: `gitswarm workspace restore ${handle}`,
    conflicted: `gitswarm stream resolve ${handle}`,
    merged: 'gitswarm workspace create',
  };
  const code = state === 'merged' && tried === 'merge' ? 'conflict' : 'wrong_state';
  throw new SwarmError(code, `Stream ${handle} is ${state.replace('_', ' ')}: it cannot ${tried}.`, {
    fix: fix[state],
    details: { state },
  });
}
