import { newId } from '../base/ids.ts';
import { retry } from '../base/retry.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { Priority } from '../contract/common.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { explainMerge, listMerges, listQueue, type Merge, requestMerge } from '../contract/merges.ts';
import { checkConsensus } from '../contract/reviews.ts';
import { type ConflictFile, type Stream, showStream } from '../contract/streams.ts';
import { touchesSettings } from '../domain/repos/branch-rules.ts';
import { mergeTrees } from '../git/merge.ts';
import { withScratchObjects } from '../git/scratch-objects.ts';
import type { Authority } from '../operations/authority.ts';
import { adoptBranch } from './adopt.ts';
import type { CascadeReport } from './cascade-streams.ts';
import { driveQueue, testsBeforeMerge } from './drive-queue.ts';
import { measureStream } from './facts.ts';
import { type ForcedLanding, forceWhileAway, type LandingWish } from './force-while-away.ts';
import { type PredictedConflict, predictConflicts } from './predict-conflicts.ts';
import { LANDED_ELSEWHERE } from './queue/elsewhere.ts';
import type { EvictionPacket } from './queue/evict.ts';
import type { QueueRun } from './queue/queue-run.ts';
import { fetchShared } from './shared/fetch-shared.ts';
import { isHere } from './shared/shared-refs.ts';
import { isAuthor } from './stream-rights.ts';
import { bringToBuffer, followParent } from './sync-worktree.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';

export type MergeResult =
  | {
      kind: 'merged';
      commit: string;
      bufferBefore: string;
      bufferAfter: string;
      cascade: CascadeReport;
      completedTaskId: string | null;
    }
  | { kind: 'conflict'; files: ConflictFile[] }
  | {
      kind: 'queued';
      position: number | null;
      reason: string;
      blocked: boolean;
      /** The server that decides is away: it is asked when it is back. */
      isAway?: boolean;
    }
  | { kind: 'evicted'; packet: EvictionPacket };

export interface MergeOptions {
  /** Of the landing, where whoever asks has chosen it. */
  id?: string | undefined;
  force?: boolean;
  reason?: string | undefined;
  priority?: Priority | undefined;
  wait?: boolean;
  /** Asks for the landing instead of the actor, who carries it: a council that has decided on it. */
  askedBy?: Authority;
}

/**
 * Lands a stream: asks for it, then drives the queue until it has landed or left it. With `wait: false` it only asks.
 * What lands is exactly the head the gate was asked for; commits made with plain git are taken in first.
 */
export async function mergeStream(
  workflow: Workflow,
  ref: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  if (options.force && !options.reason)
    throw new SwarmError('usage', 'A forced landing needs a reason.', { fix: 'Add --reason "…".' });
  const found = await adoptBranch(workflow, await workflow.authority.call(showStream, { stream: ref }));
  // Its author has come to a rest: what stayed behind follows, or what it stood on could not land with it.
  const stream = isAuthor(found, actorOf(workflow)) ? await followParent(workflow, found) : found;
  const wish = {
    stream,
    facts: await measureStream(workflow, stream),
    id: options.id ?? newId(workflow.clock.now()),
  };
  const merge = await requestLanding(workflow, wish, options);
  if (merge instanceof AuthorityAway) {
    return whileAway(options.force ? await forceWhileAway(workflow, wish, merge) : { reason: merge.message });
  }
  workflow.reach('merge.requested');
  if (options.wait === false) return queued(workflow, merge, 'asked for; nobody drives the queue for it yet');
  try {
    return await resultFor(workflow, merge, await driveQueue(workflow, merge.id));
  } catch (error) {
    if (!isSwarmError(error, 'untrusted_command')) throw error;
    // It was asked for all the same, and lands where the command is trusted: nobody is to think that it was refused.
    return { ...(await queued(workflow, merge, `${error.message} (${error.fix})`)), blocked: true };
  }
}

function whileAway(made: ForcedLanding | { reason: string }): MergeResult {
  if ('reason' in made) {
    return { kind: 'queued', position: null, reason: made.reason, blocked: false, isAway: true };
  }
  if (made.kind === 'conflict') return made;
  return { ...made, cascade: { rebased: [], deferred: [], conflicted: [] }, completedTaskId: null };
}

/** The landing that was asked for; or that the server is away, and the request kept for it. Nobody else decides. */
async function requestLanding(
  workflow: Workflow,
  { stream, facts, id }: LandingWish,
  options: MergeOptions,
): Promise<Merge | AuthorityAway> {
  try {
    const { merge } = await (options.askedBy ?? workflow.authority).call(requestMerge, {
      stream: stream.id,
      id,
      facts,
      force: options.force ?? false,
      reason: options.reason,
      priority: options.priority,
    });
    return merge;
  } catch (error) {
    if (error instanceof AuthorityAway && error.kept) return error;
    throw error;
  }
}

async function resultFor(workflow: Workflow, merge: Merge, run: QueueRun): Promise<MergeResult> {
  const landed = run.landed.find((each) => each.merge.id === merge.id);
  if (landed) return mergedResult(workflow, landed);
  const conflicted = run.conflicted.find((each) => each.merge.id === merge.id);
  if (conflicted) return { kind: 'conflict', files: conflicted.files };
  const evicted = run.evicted.find((each) => each.merge.id === merge.id);
  if (evicted) return { kind: 'evicted', packet: evicted.packet };
  const refused = run.refused.find((each) => each.merge.id === merge.id);
  if (refused) throw refused.error;
  const waiting = run.waiting.find((each) => each.merge.id === merge.id);
  if (waiting) return { ...(await queued(workflow, merge, waiting.reason)), blocked: true };
  return outcomeOfOther(workflow, merge);
}

async function mergedResult(
  workflow: Workflow,
  { landing }: QueueRun['landed'][number],
): Promise<MergeResult> {
  const stream = landing.landed.stream;
  if (stream && workflow.repo.mergeMode === 'swarm')
    await bringToBuffer(workflow, stream, landing.bufferAfter);
  return {
    kind: 'merged',
    commit: landing.commit,
    bufferBefore: landing.bufferBefore,
    bufferAfter: landing.bufferAfter,
    cascade: { rebased: [], deferred: [], conflicted: [] },
    completedTaskId: landing.landed.completedTask?.id ?? null,
  };
}

/** How often the ledger is asked what became of a landing that another machine carries: for about 20 seconds. */
const LOOKS = 45;

async function ledgerEntry(workflow: Workflow, merge: Merge): Promise<Merge | undefined> {
  const wish = { repoId: workflow.repo.id, stream: merge.streamId ?? '', limit: 20 };
  const { items } = await workflow.authority.call(listMerges, wish);
  return items.find((each) => each.id === merge.id);
}

/** Another process drove the queue and took this landing along: what became of it is in the ledger. */
async function outcomeOfOther(workflow: Workflow, merge: Merge): Promise<MergeResult> {
  const isUnderWay = (entry: Merge | undefined) => entry?.state === 'prepared';
  // A process of this machine has ended when its lock is free; another machine may be in the middle of it.
  const now = await retry(LOOKS, async (n) => {
    const entry = await ledgerEntry(workflow, merge);
    return isUnderWay(entry) && n < LOOKS && !workflow.signal?.aborted ? 'again' : { entry };
  }).then((found) => found?.entry);
  if (isUnderWay(now)) return { ...(await queued(workflow, merge, LANDED_ELSEWHERE)), blocked: true };
  const stream = await workflow.authority.call(showStream, { stream: merge.streamId ?? '' });
  if (now?.state === 'landed' && now.commit && now.bufferBefore) {
    if (!(await isHere(workflow, now.commit))) await fetchShared(workflow);
    if (workflow.repo.mergeMode === 'swarm') await bringToBuffer(workflow, stream, now.commit);
    return {
      kind: 'merged',
      commit: now.commit,
      bufferBefore: now.bufferBefore,
      bufferAfter: now.commit,
      cascade: { rebased: [], deferred: [], conflicted: [] },
      completedTaskId: null,
    };
  }
  if (workflow.shared && now?.state === 'requested')
    return { ...(await queued(workflow, merge, LANDED_ELSEWHERE)), blocked: true };
  if (now?.state === 'conflicted') return { kind: 'conflict', files: stream.conflict?.files ?? [] };
  throw new SwarmError(
    'gate_not_met',
    `The landing ended as ${now?.state ?? 'unknown'}: ${now?.reason ?? ''}`,
    {
      fix: `gitswarm merge ${stream.handle}`,
    },
  );
}

async function queued(
  workflow: Workflow,
  merge: Merge,
  reason: string,
): Promise<Extract<MergeResult, { kind: 'queued' }>> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  const position = queue.items.find((item) => item.merge.id === merge.id)?.merge.position ?? null;
  return { kind: 'queued', position, reason, blocked: false };
}

/** What `merge` would meet now; nothing is asked for, moved or written. */
export interface MergePlan {
  stream: Stream;
  commits: number;
  files: number;
  gates: { name: string; open: boolean; detail: string }[];
  conflictsWithBuffer: ConflictFile[];
  conflictsWith: PredictedConflict[];
  runsTests: boolean;
}

export async function planMerge(workflow: Workflow, ref: string): Promise<MergePlan> {
  const stream = await workflow.authority.call(showStream, { stream: ref });
  const facts = await measureStream(workflow, stream);
  const consensus = await workflow.authority.call(checkConsensus, { stream: stream.id });
  const { refusal } = await workflow.authority.call(explainMerge, { stream: stream.id });
  const buffer = await bufferTip(workflow);
  const [answer] = await withScratchObjects(workflow.git, (scratch) =>
    mergeTrees(scratch, [{ ours: buffer, theirs: facts.head }]),
  );
  const files = answer?.kind === 'conflict' ? answer.files.map(({ path, kind }) => ({ path, kind })) : [];
  const subject = { streamId: stream.id, head: facts.head, base: facts.base };
  const { repo } = workflow;
  return {
    stream,
    commits: facts.commits.length,
    files: facts.paths.length,
    gates: [
      {
        name: 'state',
        open: !['merged', 'abandoned', 'paused', 'conflicted'].includes(stream.state),
        detail: stream.state,
      },
      { name: 'commits', open: facts.commits.length > 0, detail: `${facts.commits.length} to land` },
      {
        name: 'consensus',
        open: (repo.mergeMode === 'swarm' && !touchesSettings(facts.paths)) || consensus.reached,
        detail: `${consensus.state}: ${consensus.reasons.join('; ')}`,
      },
      {
        name: 'queue',
        open: !repo.queuePaused && repo.frozenReason === null,
        detail: repo.frozenReason ?? 'open',
      },
      { name: 'rules', open: refusal === null, detail: refusal?.reason ?? 'nothing stands in the way' },
      { name: 'merge', open: files.length === 0, detail: files.length === 0 ? 'clean' : 'conflicts' },
    ],
    conflictsWithBuffer: files,
    conflictsWith: (await predictConflicts(workflow, subject)).filter((each) => each.with === 'stream'),
    runsTests: testsBeforeMerge(workflow),
  };
}
