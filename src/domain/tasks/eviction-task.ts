import type { MergeRow, StreamRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { completeTracked, openTrackedTask } from './critical-task.ts';
import { evictionLabel } from './task-labels.ts';

/** One task for the author of a stream whose tests failed on the way to the buffer, however often it is thrown out. */
export async function openEvictionTask(
  ctx: EffectContext,
  { stream, merge, handle, details }: { stream: StreamRow; merge: MergeRow; handle: string; details: string },
): Promise<void> {
  await openTrackedTask(ctx, {
    repoId: stream.repo_id,
    title: `Mend ${stream.name}: its tests failed before it could land`,
    description: `Stream ${handle} left the queue.\n\n${details}`,
    paths: JSON.parse(stream.paths) as string[],
    createdBy: merge.requested_by,
    assigneeId: stream.agent_id,
    labels: ['evicted', evictionLabel(stream)],
    priority: merge.priority,
  });
}

/** The stream has landed after all. */
export function completeEvictionTask(ctx: EffectContext, stream: StreamRow): Promise<void> {
  return completeTracked(ctx, { stream, label: evictionLabel(stream) });
}
