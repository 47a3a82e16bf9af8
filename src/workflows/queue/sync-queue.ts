import { listMerges, listQueue, type Merge } from '../../contract/merges.ts';
import { showStream } from '../../contract/streams.ts';
import { footprintOf, type LaneRule } from '../../domain/queue/lane-rules.ts';
import type { QueueEvent, Urgency, Wish } from '../../domain/queue/queue-events.ts';
import type { QueueState } from '../../domain/queue/queue-state.ts';
import { mergeBase, readCommit } from '../../git/commits.ts';
import { changedPaths } from '../../git/diff.ts';
import type { Queued } from '../compose-for.ts';
import { bufferTip, type Workflow } from '../workflow.ts';
import { isBrought } from './elsewhere.ts';

/** What is in the queue now, by the id of the landing, and what the scheduler does not know of it yet. */
export interface QueueNews {
  queued: Map<string, Queued>;
  frozenReason: string | null;
  events: QueueEvent[];
  /** Those whose commit only another machine has. */
  unpushed: Queued[];
}

/**
 * Compares the queue of the authority with what the scheduler knows: who came, was moved, dropped or landed past it,
 * and whether it is paused or frozen. `held` are left out, because this process may not carry them.
 */
export async function newsOf(
  workflow: Workflow,
  state: QueueState,
  { rule, held }: { rule: LaneRule; held: ReadonlySet<string> },
): Promise<QueueNews> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  const items: Queued[] = [];
  const unpushed: Queued[] = [];
  for (const { merge, stream } of queue.items) {
    if (held.has(merge.id)) continue;
    const place = (await isBrought(workflow, { merge, stream })) ? items : unpushed;
    place.push({ merge, stream });
  }
  const queued = new Map<string, Queued>(items.map((item) => [item.merge.id, item]));
  const events: QueueEvent[] = [];
  const isFrozen = queue.frozenReason !== null;
  if (queue.paused !== state.isPaused) events.push({ kind: queue.paused ? 'paused' : 'resumed' });
  if (isFrozen !== state.isFrozen) events.push({ kind: isFrozen ? 'frozen' : 'unfrozen' });
  for (const { wish, phase } of state.entries.values()) {
    if (queued.has(wish.id)) continue;
    if (held.has(wish.id) || (await stateOf(workflow, wish)) !== 'landed') {
      events.push(phase === 'evicting' ? { kind: 'evicted', id: wish.id } : { kind: 'left', id: wish.id });
    } else events.push({ kind: 'landed', ids: [wish.id] });
  }
  const live = new Set(items.flatMap(({ stream }) => stream?.id ?? []));
  for (const item of queued.values()) {
    const known = state.entries.get(item.merge.id)?.wish;
    const urgency = urgencyOf(item.merge);
    const { rank } = item.merge;
    if (!known) events.push({ kind: 'queued', wish: await wishOf(workflow, item, { rule, live }) });
    else if (known.urgency !== urgency || known.rank !== rank)
      events.push({ kind: 'moved', id: known.id, urgency, rank });
  }
  return { queued, frozenReason: queue.frozenReason, events, unpushed };
}

async function stateOf(workflow: Workflow, { id, stream }: Wish): Promise<Merge['state'] | undefined> {
  const filter = stream === id ? {} : { stream };
  const page = await workflow.authority.call(listMerges, { repoId: workflow.repo.id, limit: 200, ...filter });
  const state = page.items.find((merge) => merge.id === id)?.state;
  return state === 'reverted' ? 'landed' : state;
}

async function wishOf(
  workflow: Workflow,
  { merge, stream }: Queued,
  { rule, live }: { rule: LaneRule; live: ReadonlySet<string> },
): Promise<Wish> {
  return {
    id: merge.id,
    stream: stream?.id ?? merge.id,
    author: stream?.authorId ?? merge.requestedBy,
    urgency: urgencyOf(merge),
    rank: merge.rank,
    askedAt: Date.parse(merge.requestedAt),
    footprint: footprintOf(stream?.paths ?? (await plainPaths(workflow, merge)), rule),
    isFix: merge.isFix,
    isTested: merge.kind === 'stream',
    after: stream?.parentStreamId ? await unlandedParent(workflow, stream.parentStreamId, live) : [],
  };
}

/** What a landing touches that no stream stands behind: what it takes back, or takes in. */
async function plainPaths(workflow: Workflow, merge: Merge): Promise<string[]> {
  const { git } = workflow;
  const base =
    merge.kind === 'revert'
      ? (await readCommit(git, merge.head)).parents[0]
      : await mergeBase(git, await bufferTip(workflow), merge.head);
  if (base === undefined) return [];
  return (await changedPaths(git, base, merge.head)).map(({ path }) => path);
}

async function unlandedParent(workflow: Workflow, id: string, live: ReadonlySet<string>): Promise<string[]> {
  if (live.has(id)) return [id];
  const parent = await workflow.authority.call(showStream, { stream: id });
  return parent.state === 'merged' ? [] : [id];
}

/** Reverts and intakes, and what was declared a critical fix, go ahead of everything. */
function urgencyOf(merge: Merge): Urgency {
  const isIncident = merge.kind !== 'stream' || (merge.isFix && merge.priority === 'critical');
  return isIncident ? 'incident' : merge.priority;
}
