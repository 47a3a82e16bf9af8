import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/tasks.ts';
import type { AgentRow, RepoRow, TaskRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { findLiveClaim } from '../domain/tasks/claims-store.ts';
import { cancelTaskRow } from '../domain/tasks/task-expiry.ts';
import { isFinal } from '../domain/tasks/task-rules.ts';
import { handleOfTask, toTask, updateTaskRow } from '../domain/tasks/tasks-store.ts';
import { operation, type ReadContext } from './operation.ts';

export type TaskContext = ReadContext & { actor: AgentRow; repo: RepoRow; task: TaskRow };

/** Blocked is a mark beside the status: an open or a claimed task may bear it. */
const block = operation(contract.blockTask, {
  on: 'task',
  needs: 'write',
  async run(context, input) {
    const { db, task, now, emit } = context;
    await checkConcerned(context, 'block', { claimantToo: true });
    refuseFinal(task, 'blocked');
    if (task.blocked_reason === input.reason) return toTask(db, task, now);
    emit({
      type: 'task.blocked',
      subject: { type: 'task', id: task.id },
      data: { title: task.title, reason: input.reason },
    });
    return toTask(
      db,
      await updateTaskRow(db, task.id, { blocked_reason: input.reason, updated_at: now }),
      now,
    );
  },
});

const unblock = operation(contract.unblockTask, {
  on: 'task',
  needs: 'write',
  async run(context) {
    const { db, task, now, emit } = context;
    await checkConcerned(context, 'unblock', { claimantToo: true });
    if (task.blocked_reason === null) return toTask(db, task, now);
    emit({
      type: 'task.unblocked',
      subject: { type: 'task', id: task.id },
      data: { title: task.title, reason: task.blocked_reason },
    });
    return toTask(db, await updateTaskRow(db, task.id, { blocked_reason: null, updated_at: now }), now);
  },
});

const cancel = operation(contract.cancelTask, {
  on: 'task',
  needs: 'write',
  async run(context, input) {
    const { db, task, now } = context;
    await checkConcerned(context, 'cancel');
    if (task.status === 'cancelled') return toTask(db, task, now);
    refuseFinal(task, 'cancelled');
    return toTask(db, await cancelTaskRow(context, task, input.reason ?? 'cancelled'), now);
  },
});

/** Whose business a task is: its creator's, a maintainer's and, where it says so, that of the agent who holds it. */
export async function checkConcerned(
  context: TaskContext,
  tried: string,
  { claimantToo = false }: { claimantToo?: boolean } = {},
): Promise<void> {
  const { db, actor, repo, task, now } = context;
  if (task.created_by === actor.id) return;
  const access = await accessOf(db, repo, actor, now);
  if (includesLevel(access.level, 'maintain')) return;
  if (claimantToo && (await findLiveClaim(db, task.id))?.agent_id === actor.id) return;
  const who = claimantToo ? 'its creator, the agent who holds it' : 'its creator';
  throw new SwarmError('not_allowed', `${actor.name} may not ${tried} task ${handleOfTask(task)}.`, {
    fix: `Ask ${who} or a maintainer.`,
    details: { has: access.level, reasons: access.reasons },
  });
}

function refuseFinal(task: TaskRow, tried: string): void {
  if (!isFinal(task.status as contract.TaskStatus)) return;
  throw new SwarmError('wrong_state', `Task ${handleOfTask(task)} is ${task.status}: it cannot be ${tried}.`);
}

export const taskMarkOperations = [block, unblock, cancel];
