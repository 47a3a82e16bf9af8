import type { MergeRow, StreamRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { findLiveClaim, updateClaimRow } from './claims-store.ts';
import { openTrackedTask } from './critical-task.ts';
import { listUnfinishedLabelled, updateTaskRow } from './tasks-store.ts';

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
    labels: ['evicted', labelOf(stream)],
    priority: merge.priority,
  });
}

/** The stream has landed after all. */
export async function completeEvictionTask(ctx: EffectContext, stream: StreamRow): Promise<void> {
  for (const task of await listUnfinishedLabelled(ctx.db, stream.repo_id, [labelOf(stream)])) {
    const claim = await findLiveClaim(ctx.db, task.id);
    if (claim) {
      await updateClaimRow(ctx.db, claim.id, {
        status: 'approved',
        lease_until: null,
        reviewed_at: ctx.now,
        submitted_at: claim.submitted_at ?? ctx.now,
      });
    }
    ctx.emit({
      type: 'task.completed',
      subject: { type: 'task', id: task.id },
      data: { title: task.title, claimId: claim?.id ?? null, streamId: stream.id, reviewedBy: [] },
      repoId: task.repo_id,
    });
    const over = { status: 'completed', completed_at: ctx.now, blocked_reason: null, updated_at: ctx.now };
    await updateTaskRow(ctx.db, task.id, over);
  }
}

function labelOf(stream: StreamRow): string {
  return `evicted:${stream.id}`;
}
