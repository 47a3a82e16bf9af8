import { SwarmError } from '../contract/errors.ts';
import type { TaskStatus } from '../contract/tasks.ts';
import * as contract from '../contract/workplans.ts';
import { findClaimOfTask, updateClaimRow } from '../domain/tasks/claims-store.ts';
import { releaseIfOver } from '../domain/tasks/leases.ts';
import { isFinal } from '../domain/tasks/task-rules.ts';
import { handleOfTask, toTask, updateTaskRow } from '../domain/tasks/tasks-store.ts';
import { operation } from './operation.ts';

/** Done by word of a maintainer, without a landing: never where money hangs on it, nor over another's head. */
const complete = operation(contract.completeTask, {
  on: 'task',
  needs: 'maintain',
  async run(context, input) {
    const { db, actor, now, emit } = context;
    const { task, claim } = await releaseIfOver(context, context.task);
    const handle = handleOfTask(task);
    if (task.status === 'completed') return toTask(db, task, now);
    if (task.status === 'cancelled') {
      throw new SwarmError('wrong_state', `Task ${handle} is cancelled: it cannot be completed.`);
    }
    if (task.amount > 0) {
      throw new SwarmError(
        'gate_not_met',
        `Task ${handle} has an amount: it is done when its submission is approved.`,
        {
          fix: `gitswarm task review ${handle} approve`,
        },
      );
    }
    if (claim && claim.agent_id !== actor.id) {
      throw new SwarmError(
        'claim_taken',
        `Task ${handle} is held by somebody else: it is theirs to finish.`,
        {
          fix: `gitswarm task show ${handle}`,
          details: { holderId: claim.agent_id },
        },
      );
    }
    if (claim) {
      await updateClaimRow(db, claim.id, {
        status: 'approved',
        lease_until: null,
        reviewed_by: JSON.stringify([actor.id]),
        reviewed_at: now,
        submitted_at: claim.submitted_at ?? now,
      });
    }
    emit({
      type: 'task.completed',
      subject: { type: 'task', id: task.id },
      data: {
        title: task.title,
        claimId: claim?.id ?? null,
        reviewedBy: [actor.id],
        reason: input.reason ?? null,
      },
    });
    const done = { status: 'completed', completed_at: now, blocked_reason: null, updated_at: now };
    return toTask(db, await updateTaskRow(db, task.id, done), now);
  },
});

/**
 * What was paid for stays done. What a cancelled bounty had promised was freed, and the ledger puts something aside for a
 * task once: whoever wants it after all promises it anew, with a task of its own.
 */
const reopen = operation(contract.reopenTask, {
  on: 'task',
  needs: 'maintain',
  async run(context, input) {
    const { db, task, now, emit } = context;
    if (!isFinal(task.status as TaskStatus)) return toTask(db, task, now);
    const handle = handleOfTask(task);
    const latest = await findClaimOfTask(db, task.id);
    const claim = task.status === 'completed' && latest?.status === 'approved' ? latest : undefined;
    if (task.status === 'completed' && task.amount > 0) {
      throw new SwarmError('wrong_state', `Task ${handle} was paid for: it cannot be opened again.`);
    }
    if (task.amount > 0) {
      throw new SwarmError(
        'wrong_state',
        `Task ${handle} was cancelled, and the ${task.amount} credits it promised were freed: it cannot be opened again.`,
        { fix: `gitswarm task create "<title>" --amount ${task.amount}` },
      );
    }
    if (claim) {
      await updateClaimRow(db, claim.id, {
        status: 'rejected',
        review_notes: input.reason,
        reviewed_at: now,
      });
    }
    emit({
      type: 'task.reopened',
      subject: { type: 'task', id: task.id },
      data: { title: task.title, claimId: claim?.id ?? null, reason: input.reason },
    });
    const isOver = task.expires_at !== null && task.expires_at <= now;
    const expires_at = isOver ? null : task.expires_at;
    const open = { status: 'open', completed_at: null, expires_at, updated_at: now };
    return toTask(db, await updateTaskRow(db, task.id, open), now);
  },
});

export const taskEndOperations = [complete, reopen];
