import { overlaps } from './footprint.ts';
import { InFlight } from './in-flight.ts';
import { inTurns, lineUp } from './line.ts';
import { type Entry, isAdmitted, type QueueState } from './queue-state.ts';
import { passChance } from './rates.ts';
import type { Wakening } from './wake.ts';

/** What one wish in the queue waits for. Ids are those of wishes, streams those that `after` names. */
export type Waiting =
  | { kind: 'paused' }
  | { kind: 'frozen' }
  /** Parents that have not landed and are not under way. */
  | { kind: 'parent'; streams: string[] }
  /** Earlier ones of its lane that are not under way. */
  | { kind: 'lane'; ids: string[] }
  /** It clashes with these as text. */
  | { kind: 'clash'; ids: string[] }
  /** It would be stacked on one that is red or is being searched. */
  | { kind: 'search'; ids: string[] }
  /** Too many unlanded ones would be below it: this is the chance that all of them pass. */
  | { kind: 'chance'; ids: string[]; chance: number }
  /** All runners are busy. */
  | { kind: 'runner' }
  /** The answer of these runs. */
  | { kind: 'run'; runs: string[] }
  /** Green, but what is below it has to be settled or landed first. */
  | { kind: 'landing' };

export interface Explanation {
  phase: Entry['phase'] | 'confirming' | 'searching';
  /** From 1 among those who wait for a run, in the order in which they are offered one; null once it is under way. */
  place: number | null;
  /** Tested together with it. */
  mates: string[];
  /** Unlanded, and in its run below it. */
  below: string[];
  /** All others of its lane that are in the queue. */
  lane: string[];
  waitsFor: Waiting[];
}

/** Why one wish is where it is; undefined where it is not in the queue. */
export function explain(state: QueueState, id: string, { now, runners }: Wakening): Explanation | undefined {
  const entry = state.entries.get(id);
  if (!entry) return undefined;
  const { footprint } = entry.wish;
  const lane = [...state.entries.values()]
    .filter((other) => other !== entry && overlaps(other.wish.footprint, footprint))
    .map(({ wish }) => wish.id);
  const shared = { lane, below: entry.below };
  const isSettled = entry.phase === 'landing' || entry.phase === 'evicting';
  if (isSettled) return { ...shared, phase: entry.phase, place: null, mates: [], waitsFor: [] };
  if (entry.phase === 'testing') return { ...shared, ...explainTest(state, entry) };
  if (entry.phase === 'suspect') return { ...shared, ...explainSuspect(state, entry, runners) };
  const line = inTurns(state, lineUp(state, now));
  const at = line.findIndex((place) => place.entry === entry);
  const waitsFor = whyQueued(state, entry, { now, runners });
  return { ...shared, phase: 'queued', place: at < 0 ? null : at + 1, mates: [], waitsFor };
}

function explainTest(
  state: QueueState,
  entry: Entry,
): Pick<Explanation, 'phase' | 'place' | 'mates' | 'waitsFor'> {
  const { id } = entry.wish;
  const batch = state.batches.get(entry.batch ?? '');
  const runs = [...state.runs.values()].filter((run) => run.of === batch?.id && run.on.includes(id));
  const isSearched = batch?.red != null;
  const waitsFor: Waiting[] =
    runs.length > 0 ? [{ kind: 'run', runs: runs.map((run) => run.id) }] : held(state, isSearched);
  const mates = batch?.items.filter((other) => other !== id) ?? [];
  return { phase: isSearched ? 'searching' : 'testing', place: null, mates, waitsFor };
}

function held(state: QueueState, isSearched: boolean): Waiting[] {
  if (state.isPaused) return [{ kind: 'paused' }];
  return [{ kind: isSearched ? 'runner' : 'landing' }];
}

function explainSuspect(
  state: QueueState,
  entry: Entry,
  runners: number,
): Pick<Explanation, 'phase' | 'place' | 'mates' | 'waitsFor'> {
  const runs = [...state.runs.values()].filter((run) => run.of === entry.wish.id);
  if (runs.length > 0) {
    const waitsFor: Waiting[] = [{ kind: 'run', runs: runs.map((run) => run.id) }];
    return { phase: 'confirming', place: null, mates: [], waitsFor };
  }
  const waitsFor = blocks(state, entry);
  if (waitsFor.length === 0 && state.runs.size >= runners) waitsFor.push({ kind: 'runner' });
  return { phase: 'suspect', place: null, mates: [], waitsFor };
}

function blocks(state: QueueState, entry: Entry): Waiting[] {
  const waitsFor: Waiting[] = [];
  if (state.isPaused && entry.wish.isTested) waitsFor.push({ kind: 'paused' });
  if (!isAdmitted(state, entry)) waitsFor.push({ kind: 'frozen' });
  const underWay = new Set(
    [...state.entries.values()].filter(({ phase }) => phase === 'testing').map(({ wish }) => wish.stream),
  );
  const streams = entry.wish.after.filter((stream) => !underWay.has(stream));
  if (streams.length > 0) waitsFor.push({ kind: 'parent', streams });
  return waitsFor;
}

function whyQueued(state: QueueState, entry: Entry, { now, runners }: Wakening): Waiting[] {
  const waitsFor = blocks(state, entry);
  const clashes = entry.behind.filter((id) => state.entries.get(id)?.phase === 'testing');
  if (clashes.length > 0) waitsFor.push({ kind: 'clash', ids: clashes });
  const place = lineUp(state, now).find((each) => each.entry === entry);
  const ahead = [...new Set(place?.after.map((each) => each.entry.wish.id) ?? [])];
  if (ahead.length > 0) waitsFor.push({ kind: 'lane', ids: ahead });
  if (waitsFor.length > 0) return waitsFor;
  const below = new InFlight(state).below(entry);
  const doubtful = below.filter((id) => state.batches.get(state.entries.get(id)?.batch ?? '')?.red);
  if (doubtful.length > 0) return [{ kind: 'search', ids: doubtful }];
  if (state.runs.size >= runners) return [{ kind: 'runner' }];
  if (below.length === 0) return [];
  return [{ kind: 'chance', ids: below, chance: passChance(state.rates) ** below.length }];
}
