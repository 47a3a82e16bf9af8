import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/tasks.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { reserveBounty } from '../domain/budgets/budgets-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { replaceDependencies } from '../domain/tasks/dependencies-store.ts';
import {
  changedFields,
  idsField,
  readTaskFields,
  type SomeTaskFields,
  writeTaskFields,
} from '../domain/tasks/task-fields.ts';
import { refuseReservedLabels } from '../domain/tasks/task-labels.ts';
import {
  findTaskRow,
  handleOfTask,
  insertTask,
  listTaskRows,
  toTask,
  toTasks,
} from '../domain/tasks/tasks-store.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { claimOperations } from './claims.ts';
import { operation, query, type ReadContext } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { checkChange, refuseCycle } from './task-changes.ts';
import { taskMarkOperations } from './task-marks.ts';

const create = operation(contract.createTask, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    if (input.expiresAt !== null && input.expiresAt <= now) {
      throw new SwarmError('invalid', `A task cannot expire in the past (${input.expiresAt}).`);
    }
    refuseReservedLabels(input.labels);
    const dependsOn = await resolveTasks(context, repo.id, input.dependsOn);
    const id = input.id ?? newId(context.clock.now());
    if (input.id !== undefined && (await findTaskRow(db, id)))
      throw new SwarmError('already_exists', `There is a task ${id} already.`);
    const task = await insertTask(db, {
      id,
      repo_id: repo.id,
      title: input.title,
      description: input.description,
      status: 'open',
      priority: input.priority,
      amount: input.amount,
      labels: JSON.stringify(input.labels),
      paths: JSON.stringify(input.paths),
      acceptance: JSON.stringify(input.acceptance),
      difficulty: input.difficulty ?? null,
      blocked_reason: null,
      revert_of_stream_id: null,
      created_by: actor.id,
      expires_at: input.expiresAt,
      completed_at: null,
      created_at: now,
      updated_at: now,
    });
    await replaceDependencies(db, task.id, dependsOn);
    await reserveBounty(context, repo, {
      id: task.id,
      title: task.title,
      amount: task.amount,
      promisedBy: actor.id,
    });
    emit({
      type: 'task.created',
      subject: { type: 'task', id: task.id },
      data: { title: task.title, priority: task.priority, amount: task.amount, dependsOn },
    });
    return toTask(db, task, now);
  },
});

const update = operation(contract.updateTask, {
  on: 'task',
  needs: 'write',
  async run(context, input) {
    const { db, repo, task, now, emit } = context;
    await checkChange(context);
    if (input.labels) refuseReservedLabels(input.labels, JSON.parse(task.labels) as string[]);
    const dependsOn = input.dependsOn && (await resolveTasks(context, repo.id, input.dependsOn));
    if (dependsOn) await refuseCycle(context, task, dependsOn);
    const wanted: SomeTaskFields = {
      title: input.title,
      description: input.description,
      priority: input.priority,
      labels: input.labels && JSON.stringify(input.labels),
      paths: input.paths && JSON.stringify(input.paths),
      acceptance: input.acceptance && JSON.stringify(input.acceptance),
      dependsOn: dependsOn && idsField(dependsOn),
    };
    const changed = changedFields(await readTaskFields(db, task), wanted);
    if (changed.keys.length === 0) return toTask(db, task, now);
    const row = await writeTaskFields(db, task, { fields: changed.after, now });
    await recordUndoRow(context, {
      operation: 'task.update',
      summary: `changing ${changed.keys.join(', ')} of ${handleOfTask(task)}`,
      data: { taskId: task.id, before: changed.before, after: changed.after },
    });
    emit({
      type: 'task.updated',
      subject: { type: 'task', id: task.id },
      data: { title: row.title, changed: changed.keys },
    });
    return toTask(db, row, now);
  },
});

async function resolveTasks(context: ReadContext, repoId: string, refs: string[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const ref of refs) ids.add(await resolveReference(context.db, 'task', ref, repoId));
  return [...ids];
}

const list = query(contract.listTasks, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, now }, input) {
    const holder = input.claimedBy ? await getAgentByRef(db, input.claimedBy) : undefined;
    const rows = await listTaskRows(db, {
      repoId: repo.id,
      status: input.status,
      ready: input.ready,
      label: input.label,
      claimedBy: holder?.id,
      afterId: decodeCursor(input.cursor),
      limit: input.limit + 1,
      now,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: await toTasks(db, page.items, now), nextCursor: page.nextCursor };
  },
});

const show = query(contract.showTask, {
  on: 'task',
  needs: 'read',
  run: ({ db, task, now }) => toTask(db, task, now),
});

export const taskOperations = [create, update, list, show, ...claimOperations, ...taskMarkOperations];
