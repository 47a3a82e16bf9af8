import type { Footprint } from './footprint.ts';

/** How urgent a stream is, most urgent first: an incident goes ahead of everything and is stacked on nothing. */
export const URGENCIES = ['incident', 'critical', 'high', 'medium', 'low'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** One landing that was asked for. */
export interface Wish {
  id: string;
  /** What others name when they depend on it: its stream, or itself where none stands behind it. */
  stream: string;
  author: string;
  urgency: Urgency;
  /** Those moved to the front of their class have lower ranks. */
  rank: number;
  /** Milliseconds. */
  askedAt: number;
  footprint: Footprint;
  /** Reverts and declared fixes pass a freeze. */
  isFix: boolean;
  /** Whether it lands on a green run only. */
  isTested: boolean;
  /** Streams that have not landed and must land before it. */
  after: string[];
}

/** What the scheduler wants done. A decision is an event as well: it is recorded before it is carried out. */
export type Decision =
  /** Test the tip with these on top, in this order; the last ones are those the run is about. */
  | {
      kind: 'start';
      run: string;
      purpose: 'batch' | 'search' | 'confirm';
      on: string[];
      about: string[];
      at: number;
    }
  | { kind: 'cancel'; run: string }
  /** Land these in this order, all or none. `tree` is what `run` found green; null where no run is asked for. */
  | { kind: 'land'; ids: string[]; run: string | null; tree: string | null }
  /** Throw it out: these two runs with it were red. */
  | { kind: 'evict'; id: string; runs: string[] };

export type Fact =
  | { kind: 'queued'; wish: Wish }
  | { kind: 'moved'; id: string; urgency: Urgency; rank: number }
  /** Dropped, withdrawn, changed, refused or in conflict: it is in the queue no more. */
  | { kind: 'left'; id: string }
  /** It cannot be merged on top of these, which have not landed; on the tip alone it can. */
  | { kind: 'deferred'; id: string; behind: string[] }
  | { kind: 'paused' }
  | { kind: 'resumed' }
  | { kind: 'frozen' }
  | { kind: 'unfrozen' }
  | { kind: 'finished'; run: string; result: 'green' | 'red'; ms: number; tree: string }
  /** The process that ran it is gone. */
  | { kind: 'lost'; run: string }
  | { kind: 'landed'; ids: string[] }
  | { kind: 'evicted'; id: string }
  /** Neither landed nor thrown out, as was decided: they are queued again, at their places. */
  | { kind: 'returned'; ids: string[] }
  /** Something came to the tip past the queue: who overlaps it has proved nothing. */
  | { kind: 'outdated'; footprint: Footprint };

export type QueueEvent = Fact | Decision;
