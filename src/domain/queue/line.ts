import { URGENCIES } from './queue-events.ts';
import { type Entry, isAdmitted, type QueueState } from './queue-state.ts';

/** A place in the line of those who wait for a run. */
export interface Place {
  entry: Entry;
  /** Its class after ageing, or that of a child that waits for it, if more urgent: 0 is an incident. */
  level: number;
  /** Those in the line that must be under way before it: the one before it in each of its lanes, and its parents. */
  after: Place[];
}

/** A stream that has waited for so many runs is lifted one class, again and again, but never to an incident. */
const PATIENCE = 12;

/**
 * Everyone who could be tested now or once those before are under way, in the order of their lanes: class, place given
 * by hand, time of asking; parents before children. Who waits for something outside the line stands in nobody's way.
 */
export function lineUp(state: QueueState, now: number): Place[] {
  const waiting = sorted(state, now);
  const byStream = new Map(waiting.map((place) => [place.entry.wish.stream, place]));
  const underWay = new Set<string>();
  for (const { phase, wish } of state.entries.values()) if (phase === 'testing') underWay.add(wish.stream);
  const line: Place[] = [];
  const seen = new Map<Place, boolean>();
  const admit = (place: Place): boolean => {
    const known = seen.get(place);
    if (known !== undefined) return known;
    seen.set(place, false);
    for (const stream of place.entry.wish.after) {
      if (underWay.has(stream)) continue;
      const parent = byStream.get(stream);
      if (!parent) return false;
      parent.level = Math.min(parent.level, place.level);
      if (!admit(parent)) return false;
      place.after.push(parent);
    }
    seen.set(place, true);
    line.push(place);
    return true;
  };
  for (const place of waiting) admit(place);
  chainLanes(line);
  return line;
}

function sorted(state: QueueState, now: number): Place[] {
  const places: Place[] = [];
  const patience = PATIENCE * Math.max(1, state.rates.runMs);
  for (const entry of state.entries.values()) {
    if (entry.phase !== 'queued' || !isAdmitted(state, entry)) continue;
    const level = URGENCIES.indexOf(entry.wish.urgency);
    const lift = Math.floor(Math.max(0, now - entry.wish.askedAt) / patience);
    places.push({ entry, level: level === 0 ? 0 : Math.max(1, level - lift), after: [] });
  }
  return places.sort(
    (a, b) =>
      a.level - b.level ||
      a.entry.wish.rank - b.entry.wish.rank ||
      a.entry.wish.askedAt - b.entry.wish.askedAt ||
      (a.entry.wish.id < b.entry.wish.id ? -1 : 1),
  );
}

/** Links each place to the nearest before it in every lane; farther ones follow from these. */
function chainLanes(line: Place[]): void {
  const lastByKey = new Map<string, Place>();
  let root: Place | undefined;
  let sinceRoot: Place[] = [];
  for (const place of line) {
    const { footprint } = place.entry.wish;
    if (root) place.after.push(root);
    if (footprint.root) {
      place.after.push(...sinceRoot);
      root = place;
      sinceRoot = [];
      lastByKey.clear();
      continue;
    }
    for (const key of footprint.keys) {
      const last = lastByKey.get(key);
      if (last && last !== place) place.after.push(last);
      lastByKey.set(key, place);
    }
    sinceRoot.push(place);
  }
}

/**
 * The order in which the line is offered free runners: class, place given by hand, and then in turns among the authors,
 * who has had the least runner time first. Within a lane the order of the line stands.
 */
export function inTurns(state: QueueState, line: readonly Place[]): Place[] {
  const turns = new Map<string, number>();
  const keyed = line.map((place, at) => {
    const { author, rank } = place.entry.wish;
    const turn = turns.get(author) ?? state.authors.get(author)?.served ?? 0;
    turns.set(author, turn + 1);
    return { place, at, rank, turn };
  });
  keyed.sort(
    (a, b) =>
      a.place.level - b.place.level ||
      a.rank - b.rank ||
      Math.floor(a.turn) - Math.floor(b.turn) ||
      a.at - b.at,
  );
  return keyed.map(({ place }) => place);
}
