import type { Explanation, Waiting } from '../../domain/queue/explain.ts';
import type { Queued } from '../compose-for.ts';

/** In one line what a stream in the queue waits for. */
export function sayWaiting(
  why: Explanation,
  queued: ReadonlyMap<string, Queued>,
  frozenReason: string | null,
): string {
  const said = why.waitsFor.map((each) => sayOne(each, queued, frozenReason));
  return said.length > 0 ? said.join('; ') : `is ${why.phase}`;
}

/** One reason; with why the queue is frozen, where that is known. */
export function sayOne(
  waiting: Waiting,
  queued: ReadonlyMap<string, Queued>,
  frozenReason: string | null = null,
): string {
  const names = (ids: readonly string[]) => handlesOf(ids, queued).join(', ');
  switch (waiting.kind) {
    case 'paused':
      return 'the queue is paused';
    case 'frozen':
      return frozenReason === null ? 'the queue is frozen' : `the queue is frozen: ${frozenReason}`;
    case 'parent':
      return `waits for its parent ${names(waiting.streams)}, which has not landed`;
    case 'lane':
      return `behind ${names(waiting.ids)} in its lane`;
    case 'clash':
      return `clashes with ${names(waiting.ids)}, which is being tested`;
    case 'search':
      return `one of ${names(waiting.ids)} is red, and it would be tested on top of them`;
    case 'chance':
      return `too much below it has not landed (${names(waiting.ids)}): all of it is green with a chance of ${Math.round(waiting.chance * 100)} %`;
    case 'runner':
      return 'waits for a free runner';
    case 'run':
      return 'is being tested';
    case 'landing':
      return 'is green, and waits for what is below it';
  }
}

/** Handles, where they are known; ids of streams and of landings both. */
export function handlesOf(ids: readonly string[], queued: ReadonlyMap<string, Queued>): string[] {
  const all = [...queued.values()];
  const name = (id: string) => {
    const item = queued.get(id) ?? all.find(({ stream }) => stream?.id === id);
    return item?.stream?.handle ?? item?.merge.handle ?? id.slice(0, 8);
  };
  return ids.map(name);
}
