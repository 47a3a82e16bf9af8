import { newId } from '../../base/ids.ts';
import type { StreamRow, TaskRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { findLiveClaim, updateClaimRow } from './claims-store.ts';
import { labelFor } from './task-labels.ts';
import { insertTask, listTrackedTasks, updateTaskRow } from './tasks-store.ts';

interface TrackedTask {
  repoId: string;
  title: string;
  description: string;
  paths: string[];
  createdBy: string;
  labels: string[];
  revertOfStreamId?: string | undefined;
  assigneeId?: string | undefined;
}

/**
 * Opens a critical task, or answers the unfinished one that bears all of `labels` already, so that a second report
 * of the same trouble opens no second task. An assignee is offered it first, but anyone may take it.
 */
export function openCriticalTask(ctx: EffectContext, wish: TrackedTask): Promise<TaskRow> {
  return openTrackedTask(ctx, { ...wish, priority: 'critical' });
}

/** The same at another priority. */
export async function openTrackedTask(
  ctx: EffectContext,
  wish: TrackedTask & { priority: TaskRow['priority'] },
): Promise<TaskRow> {
  const [standing] = await listTrackedTasks(ctx.db, wish.repoId, wish.labels);
  if (standing) return standing;
  const labels = wish.assigneeId ? [...wish.labels, labelFor(wish.assigneeId)] : wish.labels;
  const task = await insertTask(ctx.db, {
    id: newId(ctx.clock.now()),
    repo_id: wish.repoId,
    title: wish.title,
    description: wish.description,
    status: 'open',
    priority: wish.priority,
    amount: 0,
    labels: JSON.stringify(labels),
    paths: JSON.stringify(wish.paths),
    acceptance: '[]',
    difficulty: null,
    blocked_reason: null,
    revert_of_stream_id: wish.revertOfStreamId ?? null,
    created_by: wish.createdBy,
    expires_at: null,
    completed_at: null,
    created_at: ctx.now,
    updated_at: ctx.now,
  });
  ctx.emit({
    type: 'task.created',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, priority: task.priority, assigneeId: wish.assigneeId ?? null },
    repoId: wish.repoId,
  });
  return task;
}

/** Completes the tasks that bear a label, by whoever holds them: what the stream did has made them needless. */
export async function completeTracked(
  ctx: EffectContext,
  { stream, label }: { stream: StreamRow; label: string },
): Promise<void> {
  for (const task of await listTrackedTasks(ctx.db, stream.repo_id, [label])) {
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
