import { InFlight } from './in-flight.ts';
import { Joining } from './joining.ts';
import { inTurns, lineUp, type Place } from './line.ts';
import type { Decision } from './queue-events.ts';
import { type Batch, type Entry, isAdmitted, type QueueState } from './queue-state.ts';
import { batchSize, bestBatch, passChance } from './rates.ts';
import { nextPrefixes } from './search-prefixes.ts';
import { isUseless } from './useless-run.ts';

/** A run on top of others begins where all of them pass with this chance at least; the second where runners would idle. */
const GOOD_CHANCE = 0.45;
const LAST_CHANCE = 0.12;
const MOST_PREFIXES = 4;

/** Hands out the free runners. */
export class Starts {
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
