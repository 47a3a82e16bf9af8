import { plainLine } from '../base/plain-text.ts';
import { type ErrorCode, isSwarmError } from '../contract/errors.ts';
import { abandonClaim, blockTask, cancelTask, claimTask, unblockTask } from '../contract/tasks.ts';
import { completeTask, type PlanTask, reopenTask } from '../contract/workplans.ts';
import { compare, type PlanPair, placeOf } from '../domain/workplans/compare-plans.ts';
import { finding } from '../domain/workplans/plan-findings.ts';
import { dependenciesFirst } from '../domain/workplans/plan-order.ts';
import { type PlanStep, stepsBetween } from '../domain/workplans/plan-status.ts';
import type { FixRun } from './plan-report.ts';
import { tasksById } from './plan-view.ts';
import type { Workflow } from './workflow.ts';

/**
 * Carries statuses from files into the database, by the operations that anybody would use, as whoever runs this. What
 * is refused is told (C-15) and stays as it is. By force the database also goes back. The pairs know the outcome.
 */
export async function carryStatuses(
  workflow: Workflow,
  pairs: readonly PlanPair[],
  { run, force }: { run: FixRun; force: boolean },
): Promise<void> {
  const moving = new Map(
    pairs.filter(({ comparison }) => isToMove(comparison.kind, force)).map((pair) => [pair.entry, pair]),
  );
  if (moving.size === 0) return;
  const order = dependenciesFirst(pairs.map((pair) => pair.entry));
  let done = 0;
  for (const entry of order) {
    const pair = moving.get(entry);
    if (!pair) continue;
    if (moving.size > 20) workflow.notify(`statuses: ${done++} of ${moving.size}`);
    const refusal = await carry(workflow, pair);
    if (refusal !== undefined) {
      const message = `${entry.blockId} cannot be ${entry.status} in the database (it is ${pair.task.status}): ${refusal}`;
      run.findings.push(finding('C-15', message, { ...placeOf(entry), taskId: pair.task.taskId }));
    }
  }
  await takeStock(workflow, [...moving.values()], run);
}

function isToMove(kind: PlanPair['comparison']['kind'], force: boolean): boolean {
  return kind === 'file_ahead' || (force && kind !== 'same');
}

/** Why the database refused, or undefined where it is as the file says now. */
async function carry(workflow: Workflow, { entry, task }: PlanPair): Promise<string | undefined> {
  try {
    for (const step of stepsBetween(task.status, entry.status)) {
      await takeStep(workflow, step, { task, file: entry.file.path });
    }
    return undefined;
  } catch (error) {
    if (isSwarmError(error) && REFUSALS.has(error.code)) return plainLine(error.message);
    throw error;
  }
}

/** Answers of policy; anything else is a failure of the run. */
const REFUSALS = new Set<ErrorCode>([
  ...(['not_allowed', 'not_found', 'invalid', 'conflict', 'claim_taken', 'claim_lost'] as const),
  ...(['gate_not_met', 'wrong_state', 'limited'] as const),
]);

/** Whoever works by files renews no lease by commits on a stream: the longest there is, a week. */
const LEASE_MS = 7 * 86_400_000;

async function takeStep(
  { authority }: Workflow,
  step: PlanStep,
  { task, file }: { task: PlanTask; file: string },
): Promise<void> {
  const ref = { task: task.taskId };
  const reason = `as ${plainLine(file)} says`.slice(0, 500);
  switch (step) {
    case 'claim':
      await authority.call(claimTask, { ...ref, leaseMs: LEASE_MS });
      return;
    case 'block':
      await authority.call(blockTask, { ...ref, reason });
      return;
    case 'unblock':
      await authority.call(unblockTask, ref);
      return;
    case 'complete':
      await authority.call(completeTask, { ...ref, reason });
      return;
    case 'cancel':
      await authority.call(cancelTask, { ...ref, reason });
      return;
    case 'reopen':
      await authority.call(reopenTask, { ...ref, reason });
      return;
    case 'abandon':
      if (task.holderId !== null) await authority.call(abandonClaim, { claim: task.taskId, reason });
  }
}

/** Looks at the moved tasks again: what has really become of them decides what is written. */
async function takeStock(workflow: Workflow, moved: PlanPair[], run: FixRun): Promise<void> {
  const now = new Map(
    (
      await tasksById(
        workflow,
        moved.map(({ task }) => task.taskId),
      )
    ).map((task) => [task.taskId, task]),
  );
  for (const pair of moved) {
    const task = now.get(pair.task.taskId);
    if (!task) continue;
    if (task.status !== pair.task.status) {
      const { taskId } = task;
      const { blockId } = pair.entry;
      run.changed.push({ kind: 'database', task: blockId, taskId, from: pair.task.status, to: task.status });
    }
    pair.task = task;
    pair.comparison = compare(pair.entry, task);
  }
}
