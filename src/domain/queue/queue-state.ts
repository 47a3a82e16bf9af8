import type { Wish } from './queue-events.ts';
import { FIRST_RATES, type Rates } from './rates.ts';

/** queued, testing in a batch, suspect after a red run, landing, or being thrown out. */
export type Phase = 'queued' | 'testing' | 'suspect' | 'landing' | 'evicting';

/** A green run, and the tree that it found green. */
export interface Proof {
  run: string;
  tree: string;
}

/** A wish on its way through the queue. */
export interface Entry {
  wish: Wish;
  phase: Phase;
  batch: string | null;
  /** While it is tested: what has not landed and is below it, transitively. */
  below: string[];
  /** It clashes with these as text and waits while one of them is under way. */
  behind: string[];
  /** The red run that made it a suspect, and the one that confirmed it. */
  reds: string[];
  /** The green run of a suspect that may land. */
  confirmed: Proof | null;
}

/** Streams that are tested together. All of them have the same streams below. */
export interface Batch {
  id: string;
  items: string[];
  below: string[];
  /** So many of the items, the first ones, were red together. */
  red: { count: number; run: string } | null;
  /** So many of the items were green together, with all that was below. */
  green: ({ count: number } & Proof) | null;
}

export interface Run {
  id: string;
  purpose: 'batch' | 'search' | 'confirm';
  /** The batch, or the suspect. */
  of: string;
  on: string[];
  startedAt: number;
  /** Something that overlaps landed since it began: its green proves nothing for the tip of now. */
  isStale: boolean;
}

/** What follows from the events so far, and nothing else. */
export interface QueueState {
  entries: Map<string, Entry>;
  batches: Map<string, Batch>;
  runs: Map<string, Run>;
  /** Decided and not yet done. */
  landings: { ids: string[]; run: string | null; tree: string | null }[];
  isPaused: boolean;
  isFrozen: boolean;
  rates: Rates;
  /** By author: the runner time it has had, in runs, and how many wishes it has in the queue. */
  authors: Map<string, { served: number; wishes: number }>;
  runsStarted: number;
}

export function emptyQueue(rates: Rates = FIRST_RATES): QueueState {
  return {
    entries: new Map(),
    batches: new Map(),
    runs: new Map(),
    landings: [],
    isPaused: false,
    isFrozen: false,
    rates,
    authors: new Map(),
    runsStarted: 0,
  };
}

/** A frozen queue lets only reverts and declared fixes pass. */
export function isAdmitted(state: QueueState, { wish }: Entry): boolean {
  return !state.isFrozen || wish.isFix;
}
