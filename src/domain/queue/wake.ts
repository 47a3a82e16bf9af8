import { InFlight } from './in-flight.ts';
import { inTurns, lineUp, type Place } from './line.ts';
import type { Decision } from './queue-events.ts';
import { type Batch, type Entry, isAdmitted, type Proof, type QueueState } from './queue-state.ts';
import { batchSize, bestBatch, passChance } from './rates.ts';
import { nextPrefixes } from './search-prefixes.ts';

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

function isUseless(state: QueueState, run: { purpose: string; of: string; on: string[] }): boolean {
  if (run.purpose === 'confirm') return state.entries.get(run.of)?.phase !== 'suspect';
  const batch = state.batches.get(run.of);
  if (!batch) return true;
  const count = batch.items.filter((id) => run.on.includes(id)).length;
  if (count <= (batch.green?.count ?? 0)) return true;
  return batch.red !== null && count >= batch.red.count;
}

/** A green run lands what it is about and everything that was below: all of it was in the tree that passed. */
function landGreen(state: QueueState): Decision[] {
  const decisions: Decision[] = [];
  const landing = new Set<string>();
  const decide = (ids: string[], { run, tree }: Proof) => {
    const entries = ids.map((id) => state.entries.get(id));
    const mayLand = entries.every((entry) => entry && isAdmitted(state, entry) && entry.phase !== 'evicting');
    const fresh = ids.filter((id) => !landing.has(id));
    if (state.isPaused || !mayLand || fresh.length === 0) return;
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

/** A run on top of others begins where all of them pass with this chance at least; the second where runners would idle. */
const GOOD_CHANCE = 0.45;
const LAST_CHANCE = 0.12;
const MOST_PREFIXES = 4;

/** Hands out the free runners. */
class Starts {
  readonly #state: QueueState;
  readonly #now: number;
  #free: number;
  #started = 0;
  readonly #decisions: Decision[] = [];
  readonly #inFlight: InFlight;
  /** Places of the line that are under way by a decision of this round. */
  readonly #taken = new Set<Place>();
  readonly #takenIds = new Set<string>();
  /** Under way, but too doubtful to build on: red, or being searched. */
  readonly #doubtful = new Set<string>();

  constructor(state: QueueState, now: number, free: number) {
    this.#state = state;
    this.#now = now;
    this.#free = free;
    this.#inFlight = new InFlight(state);
    for (const batch of state.batches.values()) {
      if (batch.red) for (const id of batch.items) this.#doubtful.add(id);
    }
  }

  decide(): Decision[] {
    const line = inTurns(this.#state, lineUp(this.#state, this.#now));
    this.#startBatches(
      line.filter(({ level }) => level === 0),
      1,
      1,
    );
    for (const batch of this.#state.batches.values()) this.#search(batch);
    for (const entry of this.#state.entries.values()) this.#confirm(entry);
    if (this.#free > 0) {
      const waiting = line.filter((place) => !this.#taken.has(place));
      const size = batchSize(this.#state.rates, { backlog: waiting.length, free: this.#free });
      for (const chance of [1, GOOD_CHANCE, LAST_CHANCE]) this.#startBatches(waiting, chance, size);
    }
    return this.#decisions;
  }

  #start(purpose: 'batch' | 'search' | 'confirm', on: string[], about: string[]): void {
    this.#started++;
    this.#free--;
    const run = `r${this.#state.runsStarted + this.#started}`;
    this.#decisions.push({ kind: 'start', run, purpose, on, about, at: this.#now });
  }

  #search(batch: Batch): void {
    const { red, items } = batch;
    if (this.#free <= 0 || !red || red.count < 2 || batch.below.length > 0) return;
    const searching = [...this.#state.runs.values()].some(
      (run) => run.of === batch.id && !isUseless(this.#state, run),
    );
    if (searching) return;
    const count = Math.max(1, Math.min(MOST_PREFIXES, this.#free - 1));
    for (const prefix of nextPrefixes(red.count, count)) {
      const about = items.slice(0, prefix);
      this.#start('search', about, about);
    }
  }

  #confirm({ wish, phase, reds, confirmed }: Entry): void {
    if (this.#free <= 0 || phase !== 'suspect' || reds.length > 1 || confirmed !== null) return;
    const isRunning = [...this.#state.runs.values()].some((run) => run.of === wish.id);
    if (isRunning || wish.after.length > 0 || !this.#isAdmitted(wish.id)) return;
    this.#start('confirm', [wish.id], [wish.id]);
  }

  #isAdmitted(id: string): boolean {
    const entry = this.#state.entries.get(id);
    return entry !== undefined && isAdmitted(this.#state, entry);
  }

  /** Goes along the line as often as somebody's start lets another one begin. */
  #startBatches(line: readonly Place[], chance: number, size: number): void {
    for (let before = -1; this.#free > 0 && before !== this.#started; ) {
      before = this.#started;
      for (const place of line) {
        if (this.#free <= 0) return;
        if (this.#isReady(place)) this.#startBatch(place, line, { chance, size });
      }
    }
  }

  #isReady(place: Place): boolean {
    return (
      place.entry.wish.isTested &&
      !this.#taken.has(place) &&
      !place.entry.behind.some((id) => this.#isUnderWay(id)) &&
      place.after.every((before) => this.#taken.has(before))
    );
  }

  #isUnderWay(id: string): boolean {
    return this.#takenIds.has(id) || this.#state.entries.get(id)?.phase === 'testing';
  }

  #startBatch(
    first: Place,
    line: readonly Place[],
    { chance, size }: { chance: number; size: number },
  ): void {
    const below = this.#inFlight.below(first.entry);
    if (below.some((id) => this.#doubtful.has(id))) return;
    if (below.length > 0 && passChance(this.#state.rates) ** below.length < chance) return;
    const batch = new Joining(this.#inFlight, below);
    this.#take(batch, first);
    const most = bestBatch(this.#state.rates);
    for (const place of line) {
      if (batch.items.length >= most) break;
      if (place.level === 0 || !this.#isReady(place)) continue;
      const isStacked = place.entry.wish.after.some((stream) => batch.hasStream(stream));
      if ((batch.items.length < size || isStacked) && batch.fits(place)) this.#take(batch, place);
    }
    const about = batch.items.map(({ wish }) => wish.id);
    this.#start('batch', [...below, ...about], about);
    for (const { entry, below: under } of batch.members) this.#inFlight.add(entry, under);
  }

  #take(batch: Joining, place: Place): void {
    batch.add(place);
    this.#taken.add(place);
    this.#takenIds.add(place.entry.wish.id);
  }
}

/** A batch while it is put together. All its members have the same streams below, so that they share one fate only. */
class Joining {
  readonly members: { entry: Entry; below: string[] }[] = [];
  readonly #inFlight: InFlight;
  readonly #below: ReadonlySet<string>;
  readonly #mates: InFlight;

  constructor(inFlight: InFlight, below: readonly string[]) {
    this.#inFlight = inFlight;
    this.#below = new Set(below);
    this.#mates = new InFlight();
  }

  get items(): Entry[] {
    return this.members.map(({ entry }) => entry);
  }

  hasStream(stream: string): boolean {
    return this.#mates.hasStream(stream);
  }

  fits({ entry }: Place): boolean {
    const below = new Set(this.#inFlight.below(entry));
    for (const mate of this.#mates.below(entry)) {
      if (this.members.some((each) => each.entry.wish.id === mate))
        for (const id of this.#below) below.add(id);
    }
    return below.size === this.#below.size && [...below].every((id) => this.#below.has(id));
  }

  add({ entry }: Place): void {
    const mates = this.#mates.below(entry);
    this.#mates.add(entry, mates);
    this.members.push({ entry, below: [...this.#below, ...mates] });
  }
}
