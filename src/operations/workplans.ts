import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/workplans.ts';
import { replaceDependencies } from '../domain/tasks/dependencies-store.ts';
import { findTaskRow, insertTask } from '../domain/tasks/tasks-store.ts';
import { further } from '../domain/workplans/plan-status.ts';
import {
  deletePlanRow,
  findPlanRowOfBlock,
  findPlanRowOfTask,
  findPlanRows,
  listPlanRows,
  putPlanRow,
} from '../domain/workplans/workplans-store.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import type { SubjectOf } from './subjects.ts';

const list = query(contract.listPlanTasks, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, now }, input) {
    if (input.tasks) {
      return {
        items: await findPlanRows(db, { repoId: repo.id, taskIds: input.tasks, now }),
        nextCursor: null,
      };
    }
    const rows = await listPlanRows(db, {
      repoId: repo.id,
      afterBlock: decodeCursor(input.cursor),
      limit: input.limit + 1,
      now,
    });
    return nextPage(rows, input.limit, (row) => row.blockId ?? '');
  },
});

type LinkContext = ActingContext & SubjectOf['repo'];

const link = operation(contract.linkPlanTasks, {
  on: 'repo',
  needs: 'write',
  async run(context, { blocks, replace }) {
    const items: contract.PlanLink[] = [];
    for (const block of blocks) items.push(await linkBlock(context, block, replace));
    return { items };
  },
});

async function linkBlock(
  context: LinkContext,
  block: contract.PlanBlock,
  replace: boolean,
): Promise<contract.PlanLink> {
  const { db, repo, now } = context;
  const { blockId, isWritten } = block;
  const refused = (reason: 'other_task' | 'other_repository'): contract.PlanLink => ({
    kind: 'refused',
    blockId,
    reason,
  });
  const own = await findPlanRowOfBlock(db, repo.id, blockId);
  const wanted = own && !isWritten ? own.task_id : block.taskId;
  const found = await findTaskRow(db, wanted);
  const isElsewhere = found !== undefined && found.repo_id !== repo.id;
  if (isElsewhere && isWritten) return refused('other_repository');
  if (own && own.task_id !== wanted) {
    if (!replace) return refused('other_task');
    await deletePlanRow(db, own.task_id);
  }
  const taskId = isElsewhere ? newId(context.clock.now()) : wanted;
  if (!found || isElsewhere) await makeTask(context, taskId, block);
  const before = await findPlanRowOfTask(db, taskId);
  const earlier = (before?.reached ?? 'todo') as contract.PlanStatus;
  const reached = replace ? block.reached : further(earlier, block.reached);
  await putPlanRow(db, {
    task_id: taskId,
    repo_id: repo.id,
    block_id: blockId,
    file: block.file,
    reached,
    created_at: now,
    updated_at: now,
  });
  const [task] = await findPlanRows(db, { repoId: repo.id, taskIds: [taskId], now });
  if (!task) throw new SwarmError('internal', `Task ${taskId} could not be tied to ${blockId}.`);
  return { kind: 'linked', isNew: !found || isElsewhere, task };
}

async function makeTask(context: LinkContext, id: string, block: contract.PlanBlock): Promise<void> {
  const { db, actor, repo, now, emit } = context;
  const task = await insertTask(db, {
    id,
    repo_id: repo.id,
    title: block.title,
    description: block.description,
    status: 'open',
    priority: block.priority,
    amount: 0,
    labels: '[]',
    paths: '[]',
    acceptance: '[]',
    difficulty: null,
    blocked_reason: null,
    revert_of_stream_id: null,
    created_by: actor.id,
    expires_at: null,
    completed_at: null,
    created_at: now,
    updated_at: now,
  });
  const dependsOn = await tasksOf(context, block.dependsOn, id);
  await replaceDependencies(db, id, dependsOn);
  emit({
    type: 'task.created',
    subject: { type: 'task', id },
    data: { title: task.title, priority: task.priority, dependsOn, file: block.file, block: block.blockId },
  });
}

/** The tasks that blocks have already; a new task cannot be waited for yet, so this closes no circle. */
async function tasksOf({ db, repo }: LinkContext, blockIds: string[], but: string): Promise<string[]> {
  const ids: string[] = [];
  for (const blockId of blockIds) {
    const row = await findPlanRowOfBlock(db, repo.id, blockId);
    if (row && row.task_id !== but) ids.push(row.task_id);
  }
  return ids;
}

export const workplanOperations = [list, link];
