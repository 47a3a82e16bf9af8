import fc from 'fast-check';
import { expect, it } from 'vitest';
import { QueueEventRecord } from './event-schema.ts';
import { overlaps } from './footprint.ts';
import { type Decision, type QueueEvent, URGENCIES, type Wish } from './queue-events.ts';
import { emptyQueue, type QueueState } from './queue-state.ts';
import { FIRST_RATES } from './rates.ts';
import { applyEvent, foldQueue } from './reduce.ts';
import { wake } from './wake.ts';

const LONG = process.env.GITSWARM_LONG === '1';
const HISTORIES = LONG ? 500_000 : 10_000;
const PATIENCE_MS = LONG ? 900_000 : 60_000;

/** A stream as the world knows it, and the scheduler does not. */
interface Truth {
  wish: Wish;
  isBad: boolean;
  /** It cannot be together with this one. */
  rival: string | null;
  /** It cannot even be merged with this one. */
  textRival: string | null;
}

interface History {
  truths: Truth[];
  runners: number;
  /** What happens next, drawn from these numbers one after the other. */
  chances: number[];
  /** After how many events the process is killed and begins anew from what was recorded. */
  killAt: number;
  /** What is known of failures at the beginning: at 0.7 nothing is tested together, at 0.01 much is. */
  failure: number;
}

const stream = fc.record({
  area: fc.constantFrom('a/', 'b/', 'c/', 'd/'),
  second: fc.option(fc.constantFrom('a/', 'b/', 'c/', 'd/'), { freq: 6 }),
  root: fc.integer({ min: 0, max: 9 }),
  bad: fc.integer({ min: 0, max: 4 }),
  rival: fc.option(fc.nat(7), { freq: 4 }),
  textRival: fc.option(fc.nat(7), { freq: 4 }),
  parent: fc.option(fc.nat(7), { freq: 4 }),
  urgency: fc.integer({ min: 0, max: 9 }),
  fix: fc.boolean(),
  untested: fc.integer({ min: 0, max: 19 }),
  author: fc.nat(2),
});

const history: fc.Arbitrary<History> = fc
  .record({
    streams: fc.array(stream, { minLength: 1, maxLength: 8 }),
    runners: fc.integer({ min: 1, max: 5 }),
    chances: fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 20, maxLength: 40 }),
    killAt: fc.nat(40),
    failure: fc.constantFrom(0.01, 0.05, 0.3, 0.7),
  })
  .map(({ streams, ...rest }) => {
    const truths: Truth[] = streams.map((each, i) => ({
      isBad: each.bad === 0 && each.untested !== 0,
      rival: each.rival !== null && each.rival < i && each.untested !== 0 ? `s${each.rival}` : null,
      textRival: each.textRival !== null && each.textRival < i ? `s${each.textRival}` : null,
      wish: {
        id: `s${i}`,
        stream: `s${i}`,
        author: `author${each.author}`,
        urgency: URGENCIES[each.urgency] ?? 'medium',
        rank: 0,
        askedAt: i,
        footprint: {
          root: each.root === 0,
          keys: [...new Set([each.area, ...(each.second ? [each.second] : [])])].sort(),
        },
        isFix: each.fix,
        isTested: each.untested !== 0,
        after: each.parent !== null && each.parent !== i && each.untested !== 0 ? [`s${each.parent}`] : [],
      },
    }));
    // Streams clash only where their lanes meet: what lanes cannot see is for the tests of the buffer.
    for (const truth of truths) {
      const rival = truths.find(({ wish }) => wish.id === truth.rival);
      if (!rival?.wish.isTested || !overlaps(rival.wish.footprint, truth.wish.footprint)) truth.rival = null;
    }
    return { truths, ...rest };
  });

/** A small world that carries out what the scheduler decides, and writes down what happened. */
class Play {
  readonly log: QueueEvent[] = [];
  readonly landed: string[] = [];
  readonly evicted: { id: string; runs: string[] }[] = [];
  readonly results = new Map<string, { on: string[]; isRed: boolean }>();
  readonly unsettled = new Set<string>();
  readonly strayRestarts: string[] = [];
  secondAnswers = 0;
  wasFrozen = false;
  state: QueueState;
  readonly #running = new Map<string, string[]>();
  readonly #history: History;
  readonly #killAt: number;
  #drawn = 0;

  constructor(history: History, killAt: number) {
    this.#history = history;
    this.#killAt = killAt;
    this.state = emptyQueue(this.#rates());
  }

  #rates() {
    return { ...FIRST_RATES, failure: this.#history.failure, runMs: 1000 };
  }

  #draw(below: number): number {
    const { chances } = this.#history;
    // Beyond the numbers of the history: a fixed walk through them, so that every play comes to an end alike.
    const value = (chances[this.#drawn % chances.length] ?? 0) + Math.floor(this.#drawn / chances.length) * 7;
    this.#drawn++;
    return value % below;
  }

  tell(event: QueueEvent): void {
    if (this.log.length === this.#killAt) this.#killAndRestart();
    const before = underWay(this.state);
    const subjects = subjectsOf(this.state, event);
    applyEvent(this.state, event);
    this.log.push(JSON.parse(JSON.stringify(event)) as QueueEvent);
    if (event.kind !== 'frozen') this.#noteRestarts(before, subjects);
    for (const { wish, phase, behind } of this.state.entries.values()) {
      if (phase === 'suspect' || behind.length > 0) this.unsettled.add(wish.id);
    }
  }

  #killAndRestart(): void {
    const kept = this.log.map((event) => QueueEventRecord.parse(JSON.parse(JSON.stringify(event))));
    this.state = foldQueue(kept, this.#rates());
  }

  /** Only what is connected with the cause by lanes, by dependence or by a common run may begin anew. */
  #noteRestarts(before: Map<string, UnderWay>, subjects: Wish[]): void {
    const restarted = [...before].flatMap(([id, { isTesting }]) =>
      isTesting && this.state.entries.get(id)?.phase === 'queued' ? [id] : [],
    );
    if (restarted.length === 0) return;
    const reached = new Map(subjects.map((wish) => [wish.id, wish]));
    for (const wish of reached.values()) {
      const batch = before.get(wish.id)?.batch;
      for (const other of before.values()) {
        const meets =
          overlaps(wish.footprint, other.wish.footprint) || other.wish.after.includes(wish.stream);
        if (meets || (batch && batch === other.batch)) reached.set(other.wish.id, other.wish);
      }
    }
    this.strayRestarts.push(...restarted.filter((id) => !reached.has(id)));
  }

  run(): void {
    const { truths } = this.#history;
    let next = 0;
    for (let step = 0; step < 2000; step++) {
      this.#wakeUp();
      const choices: (() => void)[] = [];
      const arriving = truths[next];
      if (arriving) choices.push(() => this.#arrive(arriving, next++));
      for (const run of this.#running.keys()) choices.push(() => this.#finish(run));
      if (choices.length === 0) {
        if (!this.state.isPaused && !this.state.isFrozen) return;
        this.tell({ kind: 'resumed' });
        this.tell({ kind: 'unfrozen' });
        continue;
      }
      if (step < 30) this.#interfere();
      choices[this.#draw(choices.length)]?.();
    }
    throw new Error('this history has no end');
  }

  #arrive({ wish }: Truth, at: number): void {
    const gone = new Set(this.landed);
    this.tell({ kind: 'queued', wish: { ...wish, after: wish.after.filter((id) => !gone.has(id)) } });
    if (at % 5 === 4) this.#wakeUp();
  }

  /** Now and then somebody pauses, freezes, moves or drops. */
  #interfere(): void {
    const what = this.#draw(40);
    const id = `s${this.#draw(8)}`;
    const isLanding = ['landing', 'evicting'].includes(this.state.entries.get(id)?.phase ?? '');
    if (what === 0) this.tell({ kind: 'paused' });
    if (what === 1 || what === 2) this.tell({ kind: 'resumed' });
    if (what === 3) {
      this.wasFrozen = true;
      this.tell({ kind: 'frozen' });
    }
    if (what === 4 || what === 5) this.tell({ kind: 'unfrozen' });
    if (what === 6 && !isLanding) this.tell({ kind: 'left', id });
    if (what === 7) {
      this.unsettled.add(id);
      this.tell({ kind: 'moved', id, urgency: 'critical', rank: -1 });
    }
    const [run] = this.#running.keys();
    if (what === 8 && run) {
      this.#running.delete(run);
      this.tell({ kind: 'lost', run });
    }
  }

  #wakeUp(): void {
    for (let round = 0; ; round++) {
      if (round > 200) throw new Error('the scheduler never comes to rest');
      const asked = { now: this.log.length, runners: this.#history.runners };
      const decisions = wake(this.state, asked);
      expect(wake(this.state, asked)).toEqual(decisions);
      for (const decision of decisions) this.tell(decision);
      this.secondAnswers += wake(this.state, asked).length;
      if (decisions.length === 0) return;
      for (const decision of decisions) this.#carryOut(decision);
    }
  }

  #carryOut(decision: Decision): void {
    if (decision.kind === 'start') this.#begin(decision);
    if (decision.kind === 'cancel') this.#running.delete(decision.run);
    if (decision.kind === 'evict') {
      this.evicted.push({ id: decision.id, runs: decision.runs });
      this.tell({ kind: 'evicted', id: decision.id });
    }
    if (decision.kind !== 'land') return;
    if (!this.state.landings.some((landing) => landing.ids.join() === decision.ids.join())) return;
    if (this.#draw(25) === 0) {
      for (const id of decision.ids) this.unsettled.add(id);
      if (this.#draw(2) === 0) this.tell({ kind: 'returned', ids: decision.ids });
      else this.tell({ kind: 'left', id: decision.ids[this.#draw(decision.ids.length)] ?? '' });
      return;
    }
    this.landed.push(...decision.ids);
    this.tell({ kind: 'landed', ids: decision.ids });
  }

  #begin({ run, on, about }: Extract<Decision, { kind: 'start' }>): void {
    if (!this.state.runs.has(run)) return;
    const landed = new Set(this.landed);
    for (const [i, id] of on.entries()) {
      const clash = this.#clashOf(id);
      const before = on.slice(0, i);
      if (!clash.some((other) => landed.has(other) || before.includes(other))) continue;
      this.tell({ kind: 'lost', run });
      this.unsettled.add(id);
      if (clash.some((other) => landed.has(other))) this.tell({ kind: 'left', id });
      else {
        const waits = about.includes(id) ? [id] : about;
        for (const each of waits) {
          this.tell({ kind: 'deferred', id: each, behind: on.filter((other) => !waits.includes(other)) });
        }
      }
      return;
    }
    this.#running.set(run, on);
    this.results.set(run, { on, isRed: isRed(this.#history.truths, [...this.landed, ...on]) });
  }

  #clashOf(id: string): string[] {
    return this.#history.truths.flatMap(({ wish, textRival }) => {
      if (wish.id === id) return textRival ?? [];
      return textRival === id ? wish.id : [];
    });
  }

  #finish(run: string): void {
    const result = this.results.get(run);
    this.#running.delete(run);
    if (!result) return;
    result.isRed ||= this.#draw(12) === 0;
    this.tell({ kind: 'finished', run, result: result.isRed ? 'red' : 'green', ms: 1000, tree: '' });
  }
}

function isRed(truths: Truth[], tree: string[]): boolean {
  const there = new Set(tree);
  return truths.some(
    ({ wish, isBad, rival }) => there.has(wish.id) && (isBad || (rival !== null && there.has(rival))),
  );
}

interface UnderWay {
  wish: Wish;
  batch: string | null;
  isTesting: boolean;
}

/** What is being tested, and what is about to land: a stack may reach from one to the other. */
function underWay(state: QueueState): Map<string, UnderWay> {
  const entries = [...state.entries.values()].filter(
    ({ phase }) => phase === 'testing' || phase === 'landing',
  );
  return new Map(
    entries.map(({ wish, batch, phase }) => [wish.id, { wish, batch, isTesting: phase === 'testing' }]),
  );
}

/** Those an event is about: what was tested together in its run, or the stream it names and its batch. */
function subjectsOf(state: QueueState, event: QueueEvent): Wish[] {
  const ids: string[] = [];
  const withBatch = (id: string) => ids.push(id, ...(state.batches.get(batchOf(id))?.items ?? []));
  const batchOf = (id: string) => state.entries.get(id)?.batch ?? '';
  if (event.kind === 'finished' || event.kind === 'lost') {
    const run = state.runs.get(event.run);
    ids.push(run?.of ?? '', ...(state.batches.get(run?.of ?? '')?.items ?? []));
  } else if (event.kind === 'landed' || event.kind === 'returned')
    for (const id of event.ids) {
      withBatch(id);
      for (const { ids: group } of state.landings) if (group.includes(id)) group.forEach(withBatch);
    }
  else if (event.kind === 'queued') return [event.wish];
  else if ('id' in event) {
    withBatch(event.id);
    for (const { ids: group } of state.landings) if (group.includes(event.id)) group.forEach(withBatch);
  }
  const found = ids.flatMap((id) => state.entries.get(id)?.wish ?? []);
  return found;
}

function play(history: History, killAt = -1): Play {
  const played = new Play(history, killAt);
  played.run();
  return played;
}

it(
  'in ten thousand random histories every promise of the queue holds',
  () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const { truths } = drawn;
        const played = play(drawn);
        const truthOf = new Map(truths.map((truth) => [truth.wish.id, truth]));
        const place = new Map(played.landed.map((id, i) => [id, i]));

        expect(isRed(truths, played.landed), 'no bad stream and no clashing pair lands').toBe(false);
        for (const { id, runs } of played.evicted) {
          expect(new Set(runs).size, 'nobody is thrown out without two red runs').toBe(2);
          for (const run of runs) {
            expect(played.results.get(run)?.isRed).toBe(true);
            expect(played.results.get(run)?.on).toContain(id);
          }
        }
        for (const { wish } of truths) {
          for (const parent of wish.after) {
            const both = place.has(wish.id) && place.has(parent);
            if (place.has(wish.id)) expect(place.has(parent), 'a parent lands').toBe(true);
            if (both) expect(place.get(parent)).toBeLessThan(place.get(wish.id) ?? -1);
          }
        }
        expect(played.strayRestarts, 'lanes that do not meet never begin anew for one another').toEqual([]);
        expect(played.secondAnswers, 'a second wake-up changes nothing').toBe(0);
        expect(played.state.runs.size + played.state.batches.size, 'all comes to rest').toBe(0);
        for (const { wish } of played.state.entries.values()) {
          expect(wish.after.length, 'who is left waits for a parent that did not land').toBeGreaterThan(0);
        }
        expect(lineJumpers(played, truthOf), 'the order inside a lane holds').toEqual([]);
      }),
      { numRuns: HISTORIES },
    );
  },
  PATIENCE_MS,
);

/** Pairs of one lane and one class that landed in the wrong order although nothing excused it. */
function lineJumpers(played: Play, truthOf: Map<string, Truth>): string[] {
  if (played.wasFrozen) return [];
  const parents = new Set([...truthOf.values()].flatMap(({ wish }) => wish.after));
  const plain = played.landed.flatMap((id) => {
    const wish = truthOf.get(id)?.wish;
    const isPlain =
      wish?.isTested && wish.after.length === 0 && !parents.has(id) && !played.unsettled.has(id);
    return isPlain ? [wish] : [];
  });
  return plain.flatMap((first, i) =>
    plain
      .slice(i + 1)
      .filter(
        (second) =>
          second.urgency === first.urgency &&
          second.askedAt < first.askedAt &&
          overlaps(first.footprint, second.footprint),
      )
      .map((second) => `${first.id} before ${second.id}`),
  );
}

it(
  'a process that is killed at any event and begins anew from the record goes on as if nothing had been',
  () => {
    fc.assert(
      fc.property(history, (drawn) => {
        expect(play(drawn, drawn.killAt).log).toEqual(play(drawn).log);
      }),
      { numRuns: HISTORIES },
    );
  },
  PATIENCE_MS,
);
