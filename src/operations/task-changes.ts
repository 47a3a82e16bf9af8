import { SwarmError } from '../contract/errors.ts';
import type { TaskStatus } from '../contract/tasks.ts';
import type { TaskRow } from '../db/tables.ts';
import { handleOf } from '../domain/references/references.ts';
import { dependencyEdges } from '../domain/tasks/dependencies-store.ts';
import { findDependencyCycle } from '../domain/tasks/dependency-cycle.ts';
import { isFinal } from '../domain/tasks/task-rules.ts';
import { getTaskRow, handleOfTask } from '../domain/tasks/tasks-store.ts';
import type { ReadContext } from './operation.ts';
import { checkConcerned, type TaskContext } from './task-marks.ts';

/** What holds for every change of a task's fields, one that takes another back included. */
export async function checkChange(context: TaskContext): Promise<void> {
  await checkConcerned(context, 'change');
  const { task } = context;
  if (!isFinal(task.status as TaskStatus)) return;
  throw new SwarmError('wrong_state', `Task ${handleOfTask(task)} is ${task.status}: it cannot be changed.`);
}

/** A task never comes to wait for itself. */
export async function refuseCycle(context: ReadContext, task: TaskRow, dependsOn: string[]): Promise<void> {
  const cycle = findDependencyCycle(task.id, dependsOn, await dependencyEdges(context.db, task.repo_id));
  if (!cycle) return;
  const handles = [];
  for (const id of cycle) handles.push(handleOf('task', await getTaskRow(context.db, id)));
  throw new SwarmError(
    'conflict',
    `Task ${handleOfTask(task)} would wait for itself: ${handles.join(' -> ')}.`,
    {
      fix: 'Leave out one of these dependencies.',
      details: { cycle },
    },
  );
}
