import { existsSync } from 'node:fs';
import { allPages } from '../base/all-pages.ts';
import { listStreams, type Stream } from '../contract/streams.ts';
import { checkedOutRefs } from '../git/checkouts.ts';
import { isAncestor, readCommit } from '../git/commits.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import { SNAPSHOTS } from '../git/snapshot.ts';
import { listCheckouts } from '../machine/checkouts.ts';
import { pruneRunOutputs } from '../machine/run-outputs.ts';
import { removeCheckout } from './checkout-pool.ts';
import { KEPT } from './kept-heads.ts';
import { bufferTip, targetTip, type Workflow } from './workflow.ts';

/** One thing that is no longer needed. */
export interface Garbage {
  kind: 'branch' | 'snapshot' | 'kept_head' | 'checkout';
  name: string;
  why: string;
}

export interface Collected {
  removed: Garbage[];
  outputs: number;
}

const KEEP_OUTPUTS = 500;
const KEEP_OUTPUT_BYTES = 512 * 1024 * 1024;

/**
 * Clears away what closed streams no longer need once they are older than `olderThanMs`: branches of ours whose
 * commits are on the buffer or the target, snapshots, kept heads, idle test checkouts. A branch that GitSwarm did not
 * make, or that holds a commit found nowhere else, is never deleted.
 */
export async function collectGarbage(
  workflow: Workflow,
  options: { plan: boolean; olderThanMs: number },
): Promise<Collected> {
  const before = workflow.clock.now() - options.olderThanMs;
  const closed = (await closedStreams(workflow)).filter((stream) => Date.parse(stream.updatedAt) <= before);
  const removed = [
    ...(await branches(workflow, closed, options.plan)),
    ...(await refsOf(workflow, closed, { prefix: SNAPSHOTS, kind: 'snapshot', before, plan: options.plan })),
    ...(await refsOf(workflow, closed, { prefix: KEPT, kind: 'kept_head', before, plan: options.plan })),
    ...(await checkouts(workflow, before, options.plan)),
  ];
  const outputs = options.plan
    ? 0
    : pruneRunOutputs(workflow.machine, { keep: KEEP_OUTPUTS, bytes: KEEP_OUTPUT_BYTES });
  return { removed, outputs };
}

async function closedStreams(workflow: Workflow): Promise<Stream[]> {
  const all = await allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, limit: 200, cursor }),
  );
  return all.filter((stream) => stream.state === 'merged' || stream.state === 'abandoned');
}

async function branches(workflow: Workflow, closed: Stream[], plan: boolean): Promise<Garbage[]> {
  const [buffer, target] = [await bufferTip(workflow), await targetTip(workflow)];
  const taken = await checkedOutRefs(workflow.git);
  const refs = new Map(
    (await listRefs(workflow.git, ['refs/heads/stream/'])).map((ref) => [ref.name, ref.oid]),
  );
  const found: Garbage[] = [];
  for (const stream of closed) {
    const ref = `refs/heads/${stream.branch}`;
    const oid = refs.get(ref);
    // Only branches that are named after their stream are ours; a tracked one belongs to its maker.
    if (oid === undefined || stream.branch !== `stream/${stream.id}` || taken.has(ref)) continue;
    const landed =
      (await isAncestor(workflow.git, oid, buffer)) || (await isAncestor(workflow.git, oid, target));
    if (!landed) continue;
    if (!plan) await updateRefs(workflow.git, [{ ref, old: oid, new: null }], 'gitswarm: gc');
    found.push({ kind: 'branch', name: stream.branch, why: `${stream.state}; all of it is on the buffer` });
  }
  return found;
}

async function refsOf(
  workflow: Workflow,
  closed: Stream[],
  wanted: { prefix: string; kind: 'snapshot' | 'kept_head'; before: number; plan: boolean },
): Promise<Garbage[]> {
  const ids = new Set(closed.map((stream) => stream.id));
  const found: Garbage[] = [];
  for (const ref of await listRefs(workflow.git, [wanted.prefix])) {
    const streamId = ref.name.slice(wanted.prefix.length).split('/')[0] ?? '';
    if (!ids.has(streamId)) continue;
    const { committer } = await readCommit(workflow.git, ref.oid);
    if (committer.seconds * 1000 > wanted.before) continue;
    if (!wanted.plan)
      await updateRefs(workflow.git, [{ ref: ref.name, old: ref.oid, new: null }], 'gitswarm: gc');
    found.push({ kind: wanted.kind, name: ref.name, why: 'its stream is closed' });
  }
  return found;
}

async function checkouts(workflow: Workflow, before: number, plan: boolean): Promise<Garbage[]> {
  const found: Garbage[] = [];
  for (const checkout of listCheckouts(workflow.machine)) {
    if (checkout.holder !== null || (existsSync(checkout.path) && Date.parse(checkout.used_at) > before))
      continue;
    if (!plan) await removeCheckout(workflow, checkout);
    found.push({ kind: 'checkout', name: checkout.path, why: 'not used since' });
  }
  return found;
}
