import type { Footprint } from '../src/domain/queue/footprint.ts';
import type { QueueEvent, Urgency } from '../src/domain/queue/queue-events.ts';
import { emptyQueue, type QueueState } from '../src/domain/queue/queue-state.ts';
import { FIRST_RATES } from '../src/domain/queue/rates.ts';
import { applyEvent } from '../src/domain/queue/reduce.ts';
import { wake } from '../src/domain/queue/wake.ts';

/** How the world behaves in which the product's own scheduler is driven. Times are in CI times: one run takes about 1. */
export interface World {
  seed: number;
  streams: number;
  /** Streams that arrive in one CI time; Infinity keeps `backlog` of them waiting. */
  arrivals: number;
  backlog?: number;
  runners: number;
  areas: number;
  /** Chances: a stream is bad by itself, clashes with the one before it in its area, changes what all depend on. */
  bad: number;
  clash: number;
  root: number;
  /** A run of good work is red. */
  flaky: number;
  /** A stream is an incident. */
  incident: number;
  authors: number;
}

export interface Outcome {
  merged: number;
  runs: number;
  confirmations: number;
  /** Runner time, in CI times. */
  spent: number;
  waits: number[];
  incidentWaits: number[];
  evictedGood: number;
  landedBad: number;
  left: number;
}

interface Stream {
  id: string;
  isBad: boolean;
  /** Streams it clashes with. */
  rivals: string[];
  arrivedAt: number;
  urgency: Urgency;
}

const CI_MS = 300_000;

/** A generator of uniform numbers in [0, 1) that a seed decides (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Lets all streams arrive and waits until the scheduler has nothing more to do. */
export function simulate(world: World): Outcome {
  return new Simulation(world).run();
}

class Simulation {
  readonly #world: World;
  readonly #random: () => number;
  readonly #state: QueueState = emptyQueue({ ...FIRST_RATES, runMs: CI_MS });
  readonly #streams = new Map<string, Stream>();
  readonly #landed = new Set<string>();
  readonly #lastIn = new Map<string, string>();
  readonly #ends = new Map<string, { at: number; result: 'green' | 'red'; ms: number }>();
  #now = 0;
  #arrived = 0;
  #nextArrival = 0;
  readonly #outcome: Outcome = {
    merged: 0,
    runs: 0,
    confirmations: 0,
    spent: 0,
    waits: [],
    incidentWaits: [],
    evictedGood: 0,
    landedBad: 0,
    left: 0,
  };

  constructor(world: World) {
    this.#world = world;
    this.#random = random(world.seed);
  }

  run(): Outcome {
    for (;;) {
      this.#arrive();
      this.#act();
      const end = [...this.#ends].sort((a, b) => a[1].at - b[1].at)[0];
      const mayArrive =
        this.#arrived < this.#world.streams && this.#world.arrivals !== Number.POSITIVE_INFINITY;
      if (!end && !mayArrive && this.#arrived >= this.#world.streams) break;
      if (mayArrive && (!end || this.#nextArrival < end[1].at)) {
        this.#now = this.#nextArrival;
        continue;
      }
      if (!end) throw new Error(`nothing moves: ${this.#state.entries.size} streams are stuck`);
      const [run, { at, result, ms }] = end;
      this.#now = at;
      this.#ends.delete(run);
      this.#outcome.spent += ms;
      this.#tell({ kind: 'finished', run, result, ms: ms * CI_MS, tree: '' });
    }
    this.#outcome.left = this.#state.entries.size;
    return this.#outcome;
  }

  #tell(event: QueueEvent): void {
    applyEvent(this.#state, event);
  }

  #arrive(): void {
    const { streams, arrivals, backlog = 200 } = this.#world;
    if (arrivals === Number.POSITIVE_INFINITY) {
      while (this.#arrived < streams && this.#state.entries.size < backlog) this.#newStream();
      return;
    }
    while (this.#arrived < streams && this.#nextArrival <= this.#now) {
      this.#newStream();
      this.#nextArrival += -Math.log(1 - this.#random()) / arrivals;
    }
  }

  #newStream(): void {
    const { areas, bad, clash, root, incident, authors } = this.#world;
    const chance = (p: number) => this.#random() < p;
    const id = `s${++this.#arrived}`;
    const isRoot = chance(root);
    const area = `area${Math.floor(this.#random() * areas)}`;
    const footprint: Footprint = { root: isRoot, keys: isRoot || areas === 0 ? [] : [area] };
    const urgency: Urgency = chance(incident) ? 'incident' : 'medium';
    const before = this.#lastIn.get(isRoot ? 'all' : area) ?? null;
    const stream: Stream = {
      id,
      isBad: chance(bad),
      rivals: [],
      arrivedAt: this.#now,
      urgency,
    };
    this.#streams.set(id, stream);
    const rival = before !== null && chance(clash) ? this.#streams.get(before) : undefined;
    if (rival) {
      stream.rivals.push(rival.id);
      rival.rivals.push(id);
    }
    this.#lastIn.set('all', id);
    if (isRoot) for (let i = 0; i < areas; i++) this.#lastIn.set(`area${i}`, id);
    else this.#lastIn.set(area, id);
    this.#tell({
      kind: 'queued',
      wish: {
        id,
        stream: id,
        author: `author${Math.floor(this.#random() * authors)}`,
        urgency: stream.urgency,
        rank: 0,
        askedAt: this.#now * CI_MS,
        footprint,
        isFix: false,
        isTested: true,
        after: [],
      },
    });
  }

  #act(): void {
    for (;;) {
      const decisions = wake(this.#state, { now: this.#now * CI_MS, runners: this.#world.runners });
      for (const decision of decisions) {
        this.#tell(decision);
        if (decision.kind === 'start') {
          this.#outcome.runs++;
          if (decision.purpose === 'confirm') this.#outcome.confirmations++;
          const ms = 0.85 + 0.3 * this.#random();
          this.#ends.set(decision.run, { at: this.#now + ms, result: this.#result(decision.on), ms });
        } else if (decision.kind === 'cancel') {
          const end = this.#ends.get(decision.run);
          this.#ends.delete(decision.run);
          if (end) this.#outcome.spent += end.ms - (end.at - this.#now);
        } else if (decision.kind === 'land') {
          for (const id of decision.ids) this.#land(id);
          this.#tell({ kind: 'landed', ids: decision.ids });
        } else {
          this.#evict(decision.id);
          this.#tell({ kind: 'evicted', id: decision.id });
        }
      }
      if (decisions.length === 0) return;
    }
  }

  #result(on: string[]): 'green' | 'red' {
    const tree = new Set(on);
    const isRed = on.some((id) => {
      const stream = this.#streams.get(id);
      return stream?.isBad || stream?.rivals.some((other) => tree.has(other) || this.#landed.has(other));
    });
    return isRed || this.#random() < this.#world.flaky ? 'red' : 'green';
  }

  #land(id: string): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    if (!this.#isGood(stream)) this.#outcome.landedBad++;
    this.#landed.add(id);
    this.#outcome.merged++;
    const waits = stream.urgency === 'incident' ? this.#outcome.incidentWaits : this.#outcome.waits;
    waits.push(this.#now - stream.arrivedAt);
  }

  #evict(id: string): void {
    const stream = this.#streams.get(id);
    if (stream && this.#isGood(stream)) this.#outcome.evictedGood++;
  }

  /** It could land now: it is not bad, and nothing that it clashes with has landed. */
  #isGood(stream: Stream): boolean {
    return !stream.isBad && !stream.rivals.some((other) => this.#landed.has(other));
  }
}
