import { isSwarmError, type SwarmError } from '../contract/errors.ts';
import { endMerge, listQueue, type Merge, nextInQueue } from '../contract/merges.ts';
import type { Stream } from '../contract/streams.ts';
import { branchPolicy } from '../domain/repos/branch-rules.ts';
import { type Compose, composeStream, type Landing, landMergeIntent } from './land.ts';
import { composeIntake, composeRevert, intake } from './plain-landings.ts';
import { withQueue } from './queue-lock.ts';
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

/**
 * Takes in what reached the target another way, then lands what is queued, one after the other in its order, until
 * nothing more can land or the landing `until` has left the queue. One process at a time drives; others wait for it
 * and find their work done.
 */
export async function driveQueue(workflow: Workflow, until?: string): Promise<QueueRun> {
  const run: QueueRun = { landed: [], conflicted: [], evicted: [], refused: [], waiting: [], runs: 0 };
  await withQueue(workflow, async () => {
    await intake(workflow);
    const tried: string[] = [];
    for (;;) {
      const { next, goesOn } = await workflow.authority.call(nextInQueue, {
        repoId: workflow.repo.id,
        tried,
        until,
      });
      if (!next || !goesOn) break;
      tried.push(next.merge.id);
      await landNext(workflow, next, run);
    }
    await noteWaiting(workflow, run);
  });
  return run;
}

interface Queued {
  merge: Merge;
  stream: Stream | null;
}

/** What is still there and may not move, with its reason. */
async function noteWaiting(workflow: Workflow, run: QueueRun): Promise<void> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  for (const { merge, stream, waitsFor } of queue.items) {
    if (waitsFor.length > 0) run.waiting.push({ merge, stream, reason: waitsFor.join('; ') });
  }
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
    if (!isSwarmError(error)) throw error;
    if (error.code === 'not_allowed') {
      // Somebody else may carry it; it keeps its place.
      run.waiting.push({ merge, stream, reason: error.message });
      return;
    }
    if (!LEAVES_QUEUE.has(error.code)) throw error;
    const ended = await workflow.authority.call(endMerge, {
      merge: merge.id,
      state: 'refused',
      reason: error.message,
    });
    run.refused.push({ merge, stream: ended.stream ?? stream, error });
  }
}

/** Refusals that are about this one landing; the queue goes on with the next. */
const LEAVES_QUEUE = new Set<string>(['gate_not_met', 'stale', 'wrong_state', 'conflict', 'not_found']);

/** The tests of a candidate are red: it leaves the queue. */
class Evicted extends Error {}

function composeFor(workflow: Workflow, merge: Merge, stream: Stream | null): Compose {
  if (merge.kind === 'revert') return composeRevert(workflow, merge);
  if (merge.kind === 'intake' || !stream) return composeIntake(workflow, merge);
  return composeStream(workflow, merge, stream);
}

/** On by default where there is a command; swarm mode lands first and tests the buffer. A branch rule may insist. */
export function testsBeforeMerge({ repo }: Workflow): boolean {
  if (branchPolicy(repo.bufferBranch, repo.config).requireTests) return true;
  if (repo.mergeMode === 'swarm' || repo.config.stabilize_command === null) return false;
  return repo.config.test_before_merge ?? true;
}
