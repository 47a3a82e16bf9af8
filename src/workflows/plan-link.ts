import { linkPlanTasks, type PlanBlock, type PlanStatus, type PlanTask } from '../contract/workplans.ts';
import { compare, type PlanPair, placeOf } from '../domain/workplans/compare-plans.ts';
import { type PlanEntry, taskTextsOf } from '../domain/workplans/plan-entries.ts';
import { finding } from '../domain/workplans/plan-findings.ts';
import { dependenciesFirst } from '../domain/workplans/plan-order.ts';
import { further } from '../domain/workplans/plan-status.ts';
import { planTaskId } from '../domain/workplans/plan-task-id.ts';
import type { FixRun } from './plan-report.ts';
import type { PlanView } from './plan-view.ts';
import type { Workflow } from './workflow.ts';

/** With the longest texts still a modest request. */
const BATCH = 50;
const MOST_DEPENDENCIES = 100;

/** Ties blocks to tasks, making those that do not exist; the pairs of the view grow by what came of it. */
export async function linkEntries(
  workflow: Workflow,
  view: PlanView,
  { run, force }: { run: FixRun; force: boolean },
): Promise<void> {
  const { unlinked, pairs } = view.comparison;
  const told = unlinked.filter(({ other }) => other !== undefined && !force);
  run.findings.push(
    ...told.map((each) => wrongTask(each.entry, `the database has ${each.other?.taskId} for it`)),
  );
  const wanted = new Set(unlinked.filter((each) => !told.includes(each)).map(({ entry }) => entry));
  // What others depend on comes first, so that a new task can wait for it from the beginning.
  const entries = dependenciesFirst(view.entries).filter((entry) => wanted.has(entry));
  const known = new Set(view.entries.map((entry) => entry.blockId));
  for (let at = 0; at < entries.length; at += BATCH) {
    if (entries.length > BATCH) workflow.notify(`tasks of blocks: ${at} of ${entries.length}`);
    const some = entries.slice(at, at + BATCH);
    const blocks = some.map((entry) => newBlock(entry, known));
    const { items } = await workflow.authority.call(linkPlanTasks, {
      repoId: workflow.repo.id,
      blocks,
      replace: force,
    });
    for (const [i, link] of items.entries()) {
      const entry = some[i];
      if (!entry) continue;
      if (link.kind === 'refused') run.findings.push(wrongTask(entry, REFUSED[link.reason]));
      else {
        pairs.push(pairOf(entry, link.task));
        if (link.isNew) {
          const { blockId: task, file } = entry;
          run.changed.push({ kind: 'task_created', task, taskId: link.task.taskId, file: file.path });
        }
      }
    }
  }
}

const REFUSED = {
  other_task: 'the database has another one for it',
  other_repository: 'that is a task of another repository',
};

function wrongTask(entry: PlanEntry, why: string) {
  return finding('C-12', `Block ${entry.blockId} names task ${entry.taskId}, and ${why}`, placeOf(entry));
}

function pairOf(entry: PlanEntry, task: PlanTask): PlanPair {
  return { entry, task, comparison: compare(entry, task) };
}

function newBlock(entry: PlanEntry, known: ReadonlySet<string>): PlanBlock {
  const { file, blockId, taskId, dependsOn } = entry;
  const created = file.parsed.kind === 'workplan' ? (file.parsed.plan.front.get('created')?.value ?? '') : '';
  return {
    blockId,
    file: file.path,
    taskId: taskId ?? planTaskId(blockId, created),
    isWritten: taskId !== undefined,
    ...taskTextsOf(entry),
    dependsOn: dependsOn.filter((name) => known.has(name) && name !== blockId).slice(0, MOST_DEPENDENCIES),
    reached: 'todo',
  };
}

/**
 * Notes how far the database has come, and in which file a block is, where that is not noted yet. From then on a file
 * that says so tells no news. A person who forces the database back begins anew from there.
 */
export async function recordReached(
  workflow: Workflow,
  pairs: readonly PlanPair[],
  { force }: { force: boolean },
): Promise<void> {
  const noted: PlanBlock[] = [];
  for (const { entry, task } of pairs) {
    const reached: PlanStatus = force ? task.status : further(task.reached, task.status);
    if (reached === task.reached && task.file === entry.file.path) continue;
    const { blockId, file } = entry;
    noted.push({ blockId, file: file.path, taskId: task.taskId, isWritten: true, ...QUIET, reached });
  }
  for (let at = 0; at < noted.length; at += BATCH) {
    const blocks = noted.slice(at, at + BATCH);
    await workflow.authority.call(linkPlanTasks, { repoId: workflow.repo.id, blocks, replace: force });
  }
}

/** The task exists: these would only count for a new one. */
const QUIET = {
  title: 'task',
  description: '',
  priority: 'medium',
  dependsOn: [],
} satisfies Partial<PlanBlock>;
