import type { TaskRow } from '../../db/tables.ts';
import { releaseBounty } from '../budgets/budgets-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { findLiveClaim, listExpiredClaims } from './claims-store.ts';
import { giveUpClaim, releaseIfOver } from './leases.ts';
import { getTaskRow, listExpiredTasks, updateTaskRow } from './tasks-store.ts';

/** Frees the tasks whose lease is over; answers how many. Calls that meet such a lease do the same on their way. */
export async function expireLeases(ctx: EffectContext): Promise<number> {
  const claims = await listExpiredClaims(ctx.db, ctx.now);
  for (const claim of claims) await releaseIfOver(ctx, await getTaskRow(ctx.db, claim.task_id));
  return claims.length;
}

/** Cancels the tasks whose own time is over and that nobody has submitted; answers how many. */
export async function cancelExpiredTasks(ctx: EffectContext): Promise<number> {
  const tasks = await listExpiredTasks(ctx.db, ctx.now);
  for (const task of tasks) await cancelTaskRow(ctx, task, 'expired');
  return tasks.length;
}

/** A cancelled task is nobody's: a live claim on it is given up, and what it had put aside is free. */
export async function cancelTaskRow(ctx: EffectContext, task: TaskRow, reason: string): Promise<TaskRow> {
  const claim = await findLiveClaim(ctx.db, task.id);
  if (claim) await giveUpClaim(ctx, claim);
  await releaseBounty(ctx, task, reason);
  ctx.emit({
    type: 'task.cancelled',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, reason, claimId: claim?.id ?? null },
    repoId: task.repo_id,
  });
  return updateTaskRow(ctx.db, task.id, { status: 'cancelled', updated_at: ctx.now });
}
