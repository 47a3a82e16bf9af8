import { overlaps } from './footprint.ts';
import { InFlight } from './in-flight.ts';
import { lineUp } from './line.ts';
import type { Decision } from './queue-events.ts';
import { type Entry, isAdmitted, type Proof, type QueueState } from './queue-state.ts';
import { Starts } from './starts.ts';
import { isUseless } from './useless-run.ts';

export interface Wakening {
  /** Milliseconds. */
  now: number;
  /** How many runs may go on at once. */
  runners: number;
}

/**
 * What is to be done now. Changes nothing: a decision takes effect when it is recorded as an event, and then the same
 * question has no second answer. Landings and evictions come first, and nothing is started until they are done, so
 * that every run begins on the tip that they leave behind.
 */
export function wake(state: QueueState, { now, runners }: Wakening): Decision[] {
  const cancels = cancelUseless(state);
  if (isEndPending(state)) return cancels;
  const ends = [...landGreen(state), ...landUntested(state, now), ...evictConfirmed(state)];
  if (ends.length > 0) return [...cancels, ...ends];
  if (state.isPaused) return cancels;
  const free = runners - (state.runs.size - cancels.length);
  return free > 0 ? [...cancels, ...new Starts(state, now, free).decide()] : cancels;
}

function isEndPending(state: QueueState): boolean {
  if (state.landings.length > 0) return true;
  return [...state.entries.values()].some(({ phase }) => phase === 'evicting');
}

/** Runs whose batch has ended, or whose answer is known by now. */
function cancelUseless(state: QueueState): Decision[] {
  return [...state.runs.values()]
    .filter((run) => isUseless(state, run))
    .map(({ id }) => ({ kind: 'cancel', run: id }));
}

/**
 * A green run lands what it is about and everything that was below: all of it was in the tree that passed. Of two groups
 * that overlap and were tested apart, as after a freeze, only the first lands; that makes the other's run say nothing.
 */
function landGreen(state: QueueState): Decision[] {
  const decisions: Decision[] = [];
  const landing = new Set<string>();
  const decide = (ids: string[], { run, tree }: Proof) => {
    const entries = ids.map((id) => state.entries.get(id));
    const mayLand = entries.every((entry) => entry && isAdmitted(state, entry) && entry.phase !== 'evicting');
    const fresh = ids.filter((id) => !landing.has(id));
    if (state.isPaused || !mayLand || fresh.length === 0) return;
    const apart = [...landing].filter((id) => !ids.includes(id));
    if (apart.some((id) => entries.some((entry) => entry && meets(state, id, entry)))) return;
    for (const id of fresh) landing.add(id);
    decisions.push({ kind: 'land', ids: fresh, run, tree });
  };
  for (const batch of state.batches.values()) {
    if (batch.green) decide([...batch.below, ...batch.items.slice(0, batch.green.count)], batch.green);
  }
  for (const entry of state.entries.values()) {
    if (entry.confirmed !== null && entry.phase === 'suspect') decide([entry.wish.id], entry.confirmed);
  }
  return decisions;
}

function meets(state: QueueState, id: string, { wish }: Entry): boolean {
  const other = state.entries.get(id);
  return other !== undefined && overlaps(other.wish.footprint, wish.footprint);
}

/** Reverts and intakes ask for no run: they land as soon as they are first in their lanes. */
function landUntested(state: QueueState, now: number): Decision[] {
  const untested = [...state.entries.values()].some(
    ({ phase, wish }) => phase === 'queued' && !wish.isTested,
  );
  if (!untested) return [];
  const inFlight = new InFlight(state);
  const ids = lineUp(state, now)
    .filter(
      ({ entry, after }) => !entry.wish.isTested && after.length === 0 && inFlight.below(entry).length === 0,
    )
    .map(({ entry }) => entry.wish.id);
  return ids.map((id) => ({ kind: 'land', ids: [id], run: null, tree: null }));
}

function evictConfirmed(state: QueueState): Decision[] {
  return [...state.entries.values()]
    .filter(({ phase, reds }) => phase === 'suspect' && reds.length >= 2)
    .map(({ wish, reds }) => ({ kind: 'evict', id: wish.id, runs: reds }));
}
