import { isSwarmError, type SwarmError } from '../contract/errors.ts';
import { endMerge, listQueue, type Merge } from '../contract/merges.ts';
import type { Stream } from '../contract/streams.ts';
import { withLock } from '../machine/locks.ts';
import { type Compose, composeStream, type Landing, landMergeIntent } from './land.ts';
import { composeIntake, composeRevert } from './plain-landings.ts';
import { type EvictionPacket, testCandidate } from './test-candidate.ts';
import type { Workflow } from './workflow.ts';

/** What one run of the queue did. */
export interface QueueRun {
  landed: { merge: Merge; stream: Stream | null; landing: Extract<Landing, { kind: 'merged' }> }[];
  conflicted: { merge: Merge; stream: Stream | null; files: { path: string; kind: string }[] }[];
  evicted: { merge: Merge; stream: Stream | null; packet: EvictionPacket }[];
  refused: { merge: Merge; stream: Stream | null; error: SwarmError }[];
  /** Left in the queue: paused, frozen, or behind something that is. */
  waiting: { merge: Merge; stream: Stream | null; reason: string }[];
  runs: number;
}

const QUEUE_WAIT_MS = 2 * 3_600_000;

/**
 * Lands what is queued, one after the other in the order of the queue, until nothing more can land or the landing
 * `until` has left the queue. One process at a time drives; others wait for it and find their work done.
 */
export async function driveQueue(workflow: Workflow, until?: string): Promise<QueueRun> {
  const run: QueueRun = { landed: [], conflicted: [], evicted: [], refused: [], waiting: [], runs: 0 };
  await withLock(
    workflow.home,
    'queue',
    async () => {
      const tried = new Set<string>();
      for (;;) {
        const next = await nextInQueue(workflow, tried, run);
        if (!next || (until !== undefined && !(await isQueued(workflow, until)))) return;
        tried.add(next.merge.id);
        await landNext(workflow, next, run);
      }
    },
    {
      waitMs: QUEUE_WAIT_MS,
      onWait: (holder) => workflow.notify(`waiting for the queue, driven by ${holder}`),
    },
  );
  return run;
}

interface Queued {
  merge: Merge;
  stream: Stream | null;
}

/** The first in the queue that may land now; what must wait is noted with its reason. */
async function nextInQueue(
  workflow: Workflow,
  tried: Set<string>,
  run: QueueRun,
): Promise<Queued | undefined> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  run.waiting = queue.items
    .filter((item) => item.waitsFor.length > 0)
    .map(({ merge, stream, waitsFor }) => ({ merge, stream, reason: waitsFor.join('; ') }));
  return queue.items.find(
    (item) => !tried.has(item.merge.id) && item.waitsFor.length === 0 && item.merge.state === 'requested',
  );
}

async function isQueued(workflow: Workflow, mergeId: string): Promise<boolean> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  return queue.items.some((item) => item.merge.id === mergeId && item.waitsFor.length === 0);
}

async function landNext(workflow: Workflow, { merge, stream }: Queued, run: QueueRun): Promise<void> {
  const compose = composeFor(workflow, merge, stream);
  let packet: EvictionPacket | undefined;
  const tested: Compose = async (tip, as) => {
    const made = await compose(tip, as);
    if (made.kind !== 'merged' || merge.kind !== 'stream' || !testsBeforeMerge(workflow)) return made;
    const verdict = await testCandidate(workflow, { commit: made.commit, merge, stream });
    run.runs += verdict.runs;
    if (verdict.kind === 'passed') return made;
    packet = verdict.packet;
    throw new Evicted();
  };
  try {
    const landing = await landMergeIntent(workflow, merge, tested);
    if (landing.kind === 'merged')
      run.landed.push({ merge, stream: landing.landed.stream ?? stream, landing });
    else run.conflicted.push({ merge, stream: landing.stream ?? stream, files: landing.files });
  } catch (error) {
    if (error instanceof Evicted && packet) {
      const ended = await workflow.authority.call(endMerge, {
        merge: merge.id,
        state: 'refused',
        reason: packet.summary,
      });
      run.evicted.push({ merge, stream: ended.stream ?? stream, packet });
      return;
    }
    if (!isSwarmError(error) || !LEAVES_QUEUE.has(error.code)) throw error;
    const ended = await workflow.authority.call(endMerge, {
      merge: merge.id,
      state: 'refused',
      reason: error.message,
    });
    run.refused.push({ merge, stream: ended.stream ?? stream, error });
  }
}

/** Refusals that are about this one landing; the queue goes on with the next. */
const LEAVES_QUEUE = new Set<string>([
  'gate_not_met',
  'stale',
  'wrong_state',
  'not_allowed',
  'conflict',
  'not_found',
]);

/** The tests of a candidate are red: it leaves the queue. */
class Evicted extends Error {}

function composeFor(workflow: Workflow, merge: Merge, stream: Stream | null): Compose {
  if (merge.kind === 'revert') return composeRevert(workflow, merge);
  if (merge.kind === 'intake' || !stream) return composeIntake(workflow, merge);
  return composeStream(workflow, merge, stream);
}

/** On by default where there is a command; swarm mode lands first and tests the buffer. */
export function testsBeforeMerge({ repo }: Workflow): boolean {
  if (repo.mergeMode === 'swarm' || repo.config.stabilize_command === null) return false;
  return repo.config.test_before_merge ?? true;
}
