import { SwarmError } from '../../contract/errors.ts';
import type { TaskStatus } from '../../contract/tasks.ts';
import type { ClaimRow, StreamRow, TaskRow } from '../../db/tables.ts';
import { isReserved } from '../budgets/budgets-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { findClaimOfStream, findClaimOfTask, findLiveClaim, updateClaimRow } from './claims-store.ts';
import { beginLease, claimFor, markClaimed, openClaim, releaseIfOver } from './leases.ts';
import { isFinal, isLeaseOver, ranOut } from './task-rules.ts';
import { findTaskRow, handleOfTask, updateTaskRow } from './tasks-store.ts';

export { openCriticalTask } from './critical-task.ts';

/**
 * A landing completes the linked task when its amount is 0: the consensus was the review. With an amount the claim is
 * submitted and waits for its own review. Nothing happens while the task is another agent's or over.
 */
export async function completeTaskOfStream(
  ctx: EffectContext,
  stream: StreamRow,
  deciders: string[],
): Promise<TaskRow | undefined> {
  const task = await unfinishedTask(ctx, stream);
  if (!task) return undefined;
  const live = await findLiveClaim(ctx.db, task.id);
  if (live && !isOf(live, stream) && !isLeaseOver(live, ctx.now)) return undefined;
  const claim = live && isOf(live, stream) ? live : await findClaimOfStream(ctx.db, task.id, stream.id);
  if (live && claim?.id !== live.id) await releaseIfOver(ctx, task);
  if (task.amount > 0)
    return claim && claim.status !== 'submitted' ? submit(ctx, task, claim, claim.notes) : undefined;
  if (claim) {
    await updateClaimRow(ctx.db, claim.id, {
      status: 'approved',
      stream_id: claim.stream_id ?? stream.id,
      lease_until: null,
      reviewed_by: JSON.stringify(deciders),
      reviewed_at: ctx.now,
      submitted_at: claim.submitted_at ?? ctx.now,
    });
  }
  ctx.emit({
    type: 'task.completed',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, claimId: claim?.id ?? null, streamId: stream.id, reviewedBy: deciders },
    repoId: task.repo_id,
  });
  return updateTaskRow(ctx.db, task.id, {
    status: 'completed',
    completed_at: ctx.now,
    blocked_reason: null,
    updated_at: ctx.now,
  });
}

/**
 * What a landing of the stream works off: the amount of its unfinished task, while the task is this stream's to hand in,
 * else 0. Whoever has lost the task to another, or came when it was over, did not earn what it promises.
 */
export async function bountyOfStream(ctx: EffectContext, stream: StreamRow): Promise<number> {
  const task = await unfinishedTask(ctx, stream);
  if (!task || task.amount === 0) return 0;
  const live = await findLiveClaim(ctx.db, task.id);
  if (live && isOf(live, stream)) return task.amount;
  if (live && !isLeaseOver(live, ctx.now)) return 0;
  const own = await findClaimOfStream(ctx.db, task.id, stream.id);
  return own && ranOut(own) ? task.amount : 0;
}

/** A revert reopens what the landing had completed or submitted; its claim counts as rejected. */
export async function reopenTaskOfStream(
  ctx: EffectContext,
  stream: StreamRow,
): Promise<TaskRow | undefined> {
  const task = stream.task_id ? await findTaskRow(ctx.db, stream.task_id) : undefined;
  if (!task || (task.status !== 'completed' && task.status !== 'submitted')) return undefined;
  const latest = await findClaimOfTask(ctx.db, task.id);
  const claim = latest && ['submitted', 'approved'].includes(latest.status) ? latest : undefined;
  if (claim && !isOf(claim, stream)) return undefined;
  if (claim) {
    const note = 'The landing was reverted.';
    await updateClaimRow(ctx.db, claim.id, { status: 'rejected', review_notes: note, reviewed_at: ctx.now });
  }
  ctx.emit({
    type: 'task.reopened',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, claimId: claim?.id ?? null, streamId: stream.id, reason: 'reverted' },
    repoId: task.repo_id,
  });
  // A bounty is paid once: done again, the task pays nothing.
  const amount = (await isReserved(ctx.db, task)) ? task.amount : 0;
  return updateTaskRow(ctx.db, task.id, { status: 'open', completed_at: null, amount, updated_at: ctx.now });
}

/** Ties a stream, whose row exists, to its author's claim; claims the task where nobody holds it, else claim_taken. */
export async function linkStreamToClaim(
  ctx: EffectContext,
  link: { task: TaskRow; agentId: string; streamId: string },
): Promise<ClaimRow> {
  return (await claimFor(ctx, link.task, { agentId: link.agentId, streamId: link.streamId })).claim;
}

/**
 * Work on a stream begins its claim's lease anew. A holder whose lease has run out, or whose submission was sent
 * back, takes the task again if it is free; if another has it, that is claim_lost.
 */
export async function renewClaimOfStream(
  ctx: EffectContext,
  stream: StreamRow,
  agentId: string,
): Promise<ClaimRow | undefined> {
  const task = await unfinishedTask(ctx, stream);
  if (!task) return undefined;
  const live = await findLiveClaim(ctx.db, task.id);
  if (live && (isOf(live, stream) || live.agent_id === agentId))
    return live.status === 'active' ? beginLease(ctx, live) : live;
  const past = await findClaimOfStream(ctx.db, task.id, stream.id);
  if (!past || !(ranOut(past) || past.status === 'rejected')) return undefined;
  if (live && !isLeaseOver(live, ctx.now)) throw claimLost(task, live);
  const { task: free } = await releaseIfOver(ctx, task);
  if (past.status === 'rejected') {
    const wish = { agentId: past.agent_id, streamId: stream.id, leaseMs: past.lease_ms };
    return (await openClaim(ctx, free, wish)).claim;
  }
  const claim = await beginLease(ctx, await updateClaimRow(ctx.db, past.id, { status: 'active' }));
  await markClaimed(ctx, free, claim);
  return claim;
}

/** The author is done: the active claim of the stream waits for its review. */
export async function submitClaimOfStream(
  ctx: EffectContext,
  stream: StreamRow,
  notes: string,
): Promise<TaskRow | undefined> {
  const claim = await renewClaimOfStream(ctx, stream, stream.agent_id);
  const task = await unfinishedTask(ctx, stream);
  return claim?.status === 'active' && task ? submit(ctx, task, claim, notes) : task;
}

/** Puts a claim and its task into the state `submitted`. */
export async function submit(
  ctx: EffectContext,
  task: TaskRow,
  claim: ClaimRow,
  notes: string,
): Promise<TaskRow> {
  await updateClaimRow(ctx.db, claim.id, {
    status: 'submitted',
    notes,
    submitted_at: ctx.now,
    lease_until: null,
  });
  ctx.emit({
    type: 'task.submitted',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, claimId: claim.id, agentId: claim.agent_id, streamId: claim.stream_id },
    repoId: task.repo_id,
  });
  return updateTaskRow(ctx.db, task.id, { status: 'submitted', updated_at: ctx.now });
}

async function unfinishedTask(ctx: EffectContext, stream: StreamRow): Promise<TaskRow | undefined> {
  const task = stream.task_id ? await findTaskRow(ctx.db, stream.task_id) : undefined;
  return task && !isFinal(task.status as TaskStatus) ? task : undefined;
}

/** True where a claim is this stream's: made for it, or held by its author and tied to no stream yet. */
function isOf(claim: ClaimRow, stream: StreamRow): boolean {
  return claim.stream_id === null ? claim.agent_id === stream.agent_id : claim.stream_id === stream.id;
}

export function claimLost(task: TaskRow, holder: ClaimRow): SwarmError {
  return new SwarmError(
    'claim_lost',
    `The lease on task ${handleOfTask(task)} ran out and another agent has claimed it. Your work is kept on its stream.`,
    {
      fix: 'gitswarm task next --claim',
      details: { taskId: task.id, holderId: holder.agent_id, leaseUntil: holder.lease_until },
    },
  );
}
