import { isoTime } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { TaskStatus } from '../../contract/tasks.ts';
import type { ClaimRow, TaskRow } from '../../db/tables.ts';
import { findAgent } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { handleOf } from '../references/references.ts';
import { findLiveClaim, insertClaim, updateClaimRow } from './claims-store.ts';
import { listDependencies } from './dependencies-store.ts';
import { claimability, DEFAULT_LEASE_MS, isLeaseOver } from './task-rules.ts';
import { handleOfTask, updateTaskRow } from './tasks-store.ts';

/** A task with the claim that holds it now; a lease found over has been released on the way. */
export interface HeldTask {
  task: TaskRow;
  claim: ClaimRow | undefined;
}

/** Takes a claim whose lease is over from its holder, who may come back for it while the task is free. */
export async function releaseIfOver(ctx: EffectContext, task: TaskRow): Promise<HeldTask> {
  const claim = await findLiveClaim(ctx.db, task.id);
  if (!claim || !isLeaseOver(claim, ctx.now)) return { task, claim };
  await updateClaimRow(ctx.db, claim.id, { status: 'abandoned' });
  const released = await updateTaskRow(ctx.db, task.id, { status: 'open', updated_at: ctx.now });
  ctx.emit({
    type: 'task.released',
    subject: { type: 'task', id: task.id },
    data: { claimId: claim.id, agentId: claim.agent_id, reason: 'lease_over' },
    repoId: task.repo_id,
  });
  return { task: released, claim: undefined };
}

/**
 * Claims a task for an agent, or answers the claim it has, with its lease begun anew. Throws claim_taken, wrong_state
 * or gate_not_met with the reason why not.
 */
export async function claimFor(
  ctx: EffectContext,
  given: TaskRow,
  wish: { agentId: string; leaseMs?: number | undefined; streamId?: string | undefined },
): Promise<{ task: TaskRow; claim: ClaimRow; isNew: boolean }> {
  const { task, claim } = await releaseIfOver(ctx, given);
  const waitsFor = (await listDependencies(ctx.db, [task.id])).filter((edge) => edge.unmet);
  const answer = claimability(
    {
      status: task.status as TaskStatus,
      blockedReason: task.blocked_reason,
      waitsFor: waitsFor.map((row) => handleOf('task', row)),
      expiresAt: task.expires_at,
      now: ctx.now,
    },
    claim ? { agentId: claim.agent_id, name: await nameOf(ctx, claim.agent_id), status: claim.status } : null,
    wish.agentId,
  );
  if (answer.kind === 'refused') {
    throw new SwarmError(answer.code, `Task ${handleOfTask(task)} cannot be claimed: ${answer.reason}.`, {
      fix: 'gitswarm task next --claim',
      details: { status: task.status, leaseUntil: claim?.lease_until ?? null },
    });
  }
  if (claim) return { task, claim: await beginLease(ctx, claim, wish), isNew: false };
  return { ...(await openClaim(ctx, task, wish)), isNew: true };
}

/** An active claim's lease from now on, on another stream where one is given. */
export async function beginLease(
  ctx: EffectContext,
  claim: ClaimRow,
  wish: { leaseMs?: number | undefined; streamId?: string | undefined } = {},
): Promise<ClaimRow> {
  const leaseMs = wish.leaseMs ?? claim.lease_ms;
  return updateClaimRow(ctx.db, claim.id, {
    lease_ms: leaseMs,
    lease_until: isoTime(ctx.clock.now() + leaseMs),
    stream_id: wish.streamId ?? claim.stream_id,
  });
}

/** A new active claim, whoever may or may not have one: `claimFor` asks first. */
export async function openClaim(
  ctx: EffectContext,
  task: TaskRow,
  wish: { agentId: string; leaseMs?: number | undefined; streamId?: string | undefined },
): Promise<{ task: TaskRow; claim: ClaimRow }> {
  const leaseMs = wish.leaseMs ?? DEFAULT_LEASE_MS;
  const claim = await insertClaim(ctx.db, {
    id: newId(ctx.clock.now()),
    task_id: task.id,
    agent_id: wish.agentId,
    stream_id: wish.streamId ?? null,
    status: 'active',
    notes: '',
    lease_ms: leaseMs,
    lease_until: isoTime(ctx.clock.now() + leaseMs),
    reviewed_by: '[]',
    review_notes: '',
    payout_amount: 0,
    claimed_at: ctx.now,
    submitted_at: null,
    reviewed_at: null,
  });
  return { task: await markClaimed(ctx, task, claim), claim };
}

/** The task of a claim that has just become active, with the event that tells of it. */
export async function markClaimed(ctx: EffectContext, task: TaskRow, claim: ClaimRow): Promise<TaskRow> {
  ctx.emit({
    type: 'task.claimed',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, claimId: claim.id, agentId: claim.agent_id, leaseUntil: claim.lease_until },
    repoId: task.repo_id,
  });
  return updateTaskRow(ctx.db, task.id, { status: 'claimed', updated_at: ctx.now });
}

/** Gives a live claim up for good: its holder does not get it back by going on. */
export async function giveUpClaim(ctx: EffectContext, claim: ClaimRow): Promise<ClaimRow> {
  return updateClaimRow(ctx.db, claim.id, { status: 'abandoned', lease_until: null });
}

async function nameOf(ctx: EffectContext, agentId: string): Promise<string> {
  return (await findAgent(ctx.db, agentId))?.name ?? agentId;
}
