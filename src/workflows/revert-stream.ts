import { SwarmError } from '../contract/errors.ts';
import type { Merge } from '../contract/merges.ts';
import { requestPlainMerge } from '../contract/merges.ts';
import { type ConflictFile, type Stream, showStream } from '../contract/streams.ts';
import type { Task } from '../contract/tasks.ts';
import type { Authority } from '../operations/authority.ts';
import { landMergeIntent } from './land.ts';
import { composeRevert, landingOf } from './plain-landings.ts';
import { withQueue } from './queue-lock.ts';
import { meetShared } from './shared/fetch-shared.ts';
import type { Workflow } from './workflow.ts';

export type RevertResult =
  | {
      kind: 'reverted';
      commit: string;
      bufferBefore: string;
      bufferAfter: string;
      stream: Stream;
      reopenedTask: Task | null;
      paused: Stream[];
    }
  | { kind: 'conflict'; files: ConflictFile[] };

/** Takes the newest landing of a stream back: a commit on the buffer that undoes it. Its task reopens. */
export async function revertStream(workflow: Workflow, ref: string, reason?: string): Promise<RevertResult> {
  const stream = await workflow.authority.call(showStream, { stream: ref });
  const landing = await landingOf(workflow, stream.id);
  return withQueue(workflow, async () => {
    await meetShared(workflow);
    return revertLanding(workflow, landing, { reason, automatic: false });
  });
}

/** Reverts one landing. The caller holds the queue. */
export async function revertLanding(
  workflow: Workflow,
  landing: Merge,
  options: { reason?: string | undefined; automatic: boolean; askedBy?: Authority },
): Promise<RevertResult> {
  if (!landing.commit || !landing.streamId)
    throw new SwarmError('invalid', `${landing.handle} has not landed.`);
  const merge = await (options.askedBy ?? workflow.authority).call(requestPlainMerge, {
    repoId: workflow.repo.id,
    kind: 'revert',
    head: landing.commit,
    revertsMerge: landing.id,
    reason: options.reason,
    automatic: options.automatic,
  });
  workflow.reach('revert.requested');
  const result = await landMergeIntent(workflow, merge, composeRevert(workflow, merge));
  if (result.kind === 'conflict') return { kind: 'conflict', files: result.files };
  const stream = await workflow.authority.call(showStream, { stream: landing.streamId });
  return {
    kind: 'reverted',
    commit: result.commit,
    bufferBefore: result.bufferBefore,
    bufferAfter: result.bufferAfter,
    stream,
    reopenedTask: result.landed.reopenedTask,
    paused: result.landed.paused,
  };
}
