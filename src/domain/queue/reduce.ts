import { dissolve, dissolveWith, requeue, settle } from './batches.ts';
import { fold as foldFairness } from './fairness.ts';
import { overlaps } from './footprint.ts';
import { land, outdate } from './landed.ts';
import type { QueueEvent, Wish } from './queue-events.ts';
import { type Entry, emptyQueue, isAdmitted, type Phase, type QueueState, type Run } from './queue-state.ts';
import { learnt, type Rates } from './rates.ts';

/** The state after these events. The same events give the same state, in whatever portions they come. */
export function foldQueue(events: Iterable<QueueEvent>, rates?: Rates): QueueState {
  const state = emptyQueue(rates);
  for (const event of events) applyEvent(state, event);
  return state;
}

/** Brings `state` forward by one event. Events about what is not there any more change nothing. */
export function applyEvent(state: QueueState, event: QueueEvent): void {
  foldFairness(state, event);
  switch (event.kind) {
    case 'queued':
      enter(state, event.wish);
      break;
    case 'moved':
      withEntry(state, event.id, (entry) => {
        entry.wish = { ...entry.wish, urgency: event.urgency, rank: event.rank };
        clearTheWay(state, entry);
      });
      break;
    case 'left':
      withEntry(state, event.id, (entry) => leave(state, entry));
      break;
    case 'deferred':
      withEntry(state, event.id, (entry) => {
        dissolveWith(state, [event.id]);
        entry.behind = event.behind;
      });
      break;
    case 'paused':
    case 'resumed':
      state.isPaused = event.kind === 'paused';
      break;
    case 'frozen':
      freeze(state);
      break;
    case 'unfrozen':
      state.isFrozen = false;
      break;
    case 'start':
      start(state, event);
      break;
    case 'cancel':
      state.runs.delete(event.run);
      break;
    case 'lost':
      lose(state, event.run);
      break;
    case 'finished':
      finish(state, event);
      break;
    case 'land':
      setPhase(state, event.ids, 'landing');
      state.landings.push({ ids: event.ids, run: event.run, tree: event.tree });
      break;
    case 'landed':
      land(state, event.ids);
      break;
    case 'evict':
      setPhase(state, [event.id], 'evicting');
      break;
    case 'evicted':
      withEntry(state, event.id, (entry) => {
        state.rates = learnt(state.rates, 'failure', 1);
        leave(state, entry);
      });
      break;
    case 'returned':
      giveUp(state, event.ids);
      break;
    case 'outdated':
      outdate(state, { id: '', footprint: event.footprint });
      break;
    default:
      event satisfies never;
  }
}

function setPhase(state: QueueState, ids: readonly string[], phase: Phase): void {
  for (const id of ids) {
    withEntry(state, id, (entry) => {
      entry.phase = phase;
    });
  }
}

function withEntry(state: QueueState, id: string, change: (entry: Entry) => void): void {
  const entry = state.entries.get(id);
  if (entry) change(entry);
}

function enter(state: QueueState, wish: Wish): void {
  if (state.entries.has(wish.id)) return;
  const entry: Entry = {
    wish,
    phase: 'queued',
    batch: null,
    below: [],
    behind: [],
    reds: [],
    confirmed: null,
  };
  state.entries.set(wish.id, entry);
  clearTheWay(state, entry);
}

/** An incident is stacked on nothing: what it overlaps begins anew behind it. */
function clearTheWay(state: QueueState, entry: Entry): void {
  const { wish } = entry;
  if (wish.urgency !== 'incident' || entry.phase !== 'queued' || wish.after.length > 0) return;
  const inTheWay = [...state.entries.values()].filter(
    (other) =>
      other.phase === 'testing' &&
      other.wish.urgency !== 'incident' &&
      overlaps(other.wish.footprint, wish.footprint),
  );
  dissolveWith(
    state,
    inTheWay.map((other) => other.wish.id),
  );
}

function freeze(state: QueueState): void {
  state.isFrozen = true;
  const held = [...state.entries.values()].filter(
    (entry) => entry.phase === 'testing' && !isAdmitted(state, entry),
  );
  dissolveWith(
    state,
    held.map((entry) => entry.wish.id),
  );
}

function leave(state: QueueState, entry: Entry): void {
  giveUp(state, [entry.wish.id]);
  state.entries.delete(entry.wish.id);
}

/** They are queued again, and so is everything that was tested or was to land together with them. */
function giveUp(state: QueueState, ids: readonly string[]): void {
  for (const id of ids) {
    for (const other of breakLandings(state, id)) {
      withEntry(state, other, (each) => {
        if (each.batch === null) requeue(each);
        else each.phase = 'testing';
      });
    }
  }
  dissolveWith(state, ids);
  for (const id of ids) withEntry(state, id, requeue);
}

/** Ends the landings that had it, or were tested on top of it or of what lands no more; whom they would have landed. */
function breakLandings(state: QueueState, id: string): Set<string> {
  const broken = new Set([id]);
  for (let before = 0; before < broken.size; ) {
    before = broken.size;
    const isBroken = (each: string) =>
      broken.has(each) || (state.entries.get(each)?.below.some((below) => broken.has(below)) ?? false);
    const ended = state.landings.filter(({ ids }) => ids.some(isBroken));
    state.landings = state.landings.filter((landing) => !ended.includes(landing));
    for (const { ids } of ended) for (const each of ids) broken.add(each);
  }
  broken.delete(id);
  return broken;
}

function start(state: QueueState, event: Extract<QueueEvent, { kind: 'start' }>): void {
  const { run, purpose, on, about } = event;
  const first = about[0] ?? '';
  state.runsStarted++;
  let of = first;
  if (purpose === 'search') of = state.entries.get(first)?.batch ?? '';
  if (purpose === 'batch') {
    of = run;
    const below = on.slice(0, on.length - about.length);
    state.batches.set(run, { id: run, items: about, below, red: null, green: null });
    for (const [i, id] of about.entries()) {
      withEntry(state, id, (entry) => {
        entry.phase = 'testing';
        entry.batch = run;
        entry.below = [...below, ...matesBelow(state, entry, about.slice(0, i))];
      });
    }
  }
  state.runs.set(run, { id: run, purpose, of, on, startedAt: event.at, isStale: false });
}

/** Of those before it in its batch, the ones it overlaps or depends on, and what is below these. */
function matesBelow(state: QueueState, { wish }: Entry, before: string[]): string[] {
  const below = new Set<string>();
  for (const id of before) {
    const mate = state.entries.get(id);
    if (!mate) continue;
    if (!overlaps(mate.wish.footprint, wish.footprint) && !wish.after.includes(mate.wish.stream)) continue;
    for (const each of mate.below) if (before.includes(each)) below.add(each);
    below.add(id);
  }
  return before.filter((id) => below.has(id));
}

function lose(state: QueueState, id: string): void {
  const run = state.runs.get(id);
  state.runs.delete(id);
  const batch = run?.purpose === 'batch' ? state.batches.get(run.of) : undefined;
  if (batch && !batch.red && !batch.green) dissolve(state, [batch]);
}

type Result = Extract<QueueEvent, { kind: 'finished' }>;

function finish(state: QueueState, event: Result): void {
  const run = state.runs.get(event.run);
  if (!run) return;
  state.runs.delete(run.id);
  state.rates = learnt(state.rates, 'runMs', event.ms);
  if (run.purpose === 'confirm') confirm(state, run, event);
  else judge(state, run, event);
}

/** What a run of a batch, or of a prefix of it, says about the batch. */
function judge(state: QueueState, run: Run, { result, tree }: Result): void {
  const batch = state.batches.get(run.of);
  const count = batch?.items.filter((id) => run.on.includes(id)).length ?? 0;
  if (!batch || count === 0) return;
  if (result === 'green') {
    if (batch.red && batch.red.count <= count) batch.red = null;
    if (count > (batch.green?.count ?? 0)) batch.green = { count, run: run.id, tree };
    state.rates = learnt(state.rates, 'flake', 0);
  } else if (count < (batch.red?.count ?? Number.POSITIVE_INFINITY)) {
    batch.red = { count, run: run.id };
    settle(state, batch);
  }
}

/** A suspect had its run of its own. Red: two runs agree. Green counts only where nothing came in between. */
function confirm(state: QueueState, run: Run, { result, tree }: Result): void {
  const entry = state.entries.get(run.of);
  if (entry?.phase !== 'suspect') return;
  if (result === 'red') {
    entry.reds.push(run.id);
    return;
  }
  state.rates = learnt(state.rates, 'flake', 1);
  const meets = (other: Entry) =>
    other.phase === 'testing' && overlaps(other.wish.footprint, entry.wish.footprint);
  if (run.isStale || [...state.entries.values()].some(meets)) requeue(entry);
  else entry.confirmed = { run: run.id, tree };
}
