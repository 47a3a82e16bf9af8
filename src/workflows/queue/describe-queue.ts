import { listQueue } from '../../contract/merges.ts';
import { type Explanation, explain } from '../../domain/queue/explain.ts';
import type { QueueState } from '../../domain/queue/queue-state.ts';
import { applyEvent } from '../../domain/queue/reduce.ts';
import type { Queued } from '../compose-for.ts';
import { testsBeforeMerge } from '../drive-queue.ts';
import { predictAmong } from '../predict-conflicts.ts';
import { bufferTip, type Workflow } from '../workflow.ts';
import { laneRule } from './lane-rule.ts';
import { readQueue } from './queue-record.ts';
import { newsOf } from './sync-queue.ts';
import { handlesOf, sayOne } from './words.ts';

/** One landing in the queue, as people and programs are told of it. */
export interface QueueItem extends Queued {
  phase: Explanation['phase'];
  /** Lanes are numbered from 1 in the order of the queue; null is one that meets them all. */
  lane: number | null;
  /** Handles of the others in its lane, in the order of the queue. */
  laneMates: string[];
  /** Handles of those tested in one run with it, and of those not landed that its run is stacked on. */
  testedWith: string[];
  stackedOn: string[];
  /** Handles of others in the queue that it clashes with as text: whoever lands second leaves it. */
  clashesWith: string[];
  waitsFor: string[];
}

export interface QueueDescription {
  items: QueueItem[];
  paused: boolean;
  frozenReason: string | null;
}

/** The queue as its driver sees it, with what came since the driver last looked. Changes nothing. */
export async function describeQueue(workflow: Workflow): Promise<QueueDescription> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  const { paused, frozenReason } = queue;
  const state = readQueue(workflow.machine);
  const rule = await laneRule(workflow, await bufferTip(workflow));
  const news = await newsOf(workflow, state, { rule, held: new Set() });
  for (const event of news.events) applyEvent(state, event);
  const lanes = numberLanes(
    state,
    queue.items.map(({ merge }) => merge.id),
  );
  const asked = { now: workflow.clock.now(), runners: workflow.repo.config.queue.runners };
  const tests = testsBeforeMerge(workflow);
  const pairs = await predictAmong(
    workflow,
    queue.items.flatMap(({ stream }) => stream ?? []),
  );
  const items = queue.items.map(({ merge, stream, waitsFor }): QueueItem => {
    const why = explain(state, merge.id, asked);
    const handles = (ids: readonly string[]) => handlesOf(ids, news.queued);
    const mates = queue.items.flatMap((other) =>
      why?.lane.includes(other.merge.id) ? [other.merge.id] : [],
    );
    return {
      merge,
      stream,
      phase: tests ? (why?.phase ?? 'queued') : 'queued',
      lane: lanes.get(merge.id) ?? null,
      laneMates: handles(mates),
      testedWith: handles(why?.mates ?? []),
      stackedOn: handles(why?.below ?? []),
      clashesWith: pairs.flatMap(({ one, other }) => {
        if (one.id === stream?.id) return [other.handle];
        return other.id === stream?.id ? [one.handle] : [];
      }),
      waitsFor: tests
        ? (why?.waitsFor ?? []).map((each) => sayOne(each, news.queued, frozenReason))
        : waitsFor,
    };
  });
  return { items, paused, frozenReason };
}

/** Streams that are linked by common keys share a number; those that meet everyone have none. */
function numberLanes(state: QueueState, ids: readonly string[]): Map<string, number> {
  const group = new Map<string, string>();
  const rootOf = (key: string): string => {
    const above = group.get(key) ?? key;
    return above === key ? key : rootOf(above);
  };
  const keyed = ids.flatMap((id) => {
    const footprint = state.entries.get(id)?.wish.footprint;
    return footprint && !footprint.root ? [{ id, keys: footprint.keys }] : [];
  });
  for (const { id, keys } of keyed) {
    for (const key of keys) {
      const [one, other] = [rootOf(`key ${key}`), rootOf(`id ${id}`)];
      if (one !== other) group.set(one, other);
    }
  }
  const numbers = new Map<string, number>();
  const lanes = new Map<string, number>();
  for (const { id } of keyed) {
    const root = rootOf(`id ${id}`);
    const number = numbers.get(root) ?? numbers.size + 1;
    numbers.set(root, number);
    lanes.set(id, number);
  }
  return lanes;
}
