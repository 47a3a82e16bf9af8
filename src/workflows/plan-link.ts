import { linkPlanTasks, type PlanBlock, type PlanLink, type PlanStatus } from '../contract/workplans.ts';
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
  const { comparison } = view;
  const wanted = new Set<PlanEntry>();
  for (const { entry, other } of comparison.unlinked) {
    if (other === undefined || force) wanted.add(entry);
    else run.findings.push(wrongTask(entry, `the database has ${other.taskId} for it`));
  }
  // What others depend on comes first, so that a new task can wait for it from the beginning.
  const entries = dependenciesFirst(view.entries).filter((entry) => wanted.has(entry));
  const known = new Set(view.entries.map((entry) => entry.blockId));
  const linked = new Set<PlanEntry>();
  for (let at = 0; at < entries.length; at += BATCH) {
    if (entries.length > BATCH) workflow.notify(`tasks of blocks: ${at} of ${entries.length}`);
    const some = entries.slice(at, at + BATCH);
    const blocks = some.map((entry) => newBlock(entry, known));
    const asked = { repoId: workflow.repo.id, blocks, replace: force };
    const { items } = await workflow.authority.call(linkPlanTasks, asked);
    for (const [i, entry] of some.entries()) {
      const pair = taken(entry, items[i], run);
      if (!pair) continue;
      comparison.pairs.push(pair);
      linked.add(entry);
    }
  }
  comparison.unlinked = comparison.unlinked.filter(({ entry }) => !linked.has(entry));
}

/** The pair that a block makes with its task now; a refusal is told. */
function taken(entry: PlanEntry, link: PlanLink | undefined, run: FixRun): PlanPair | undefined {
  if (link?.kind === 'refused') run.findings.push(wrongTask(entry, REFUSED[link.reason]));
  if (link?.kind !== 'linked') return undefined;
  const { task, isNew } = link;
  const { blockId, file } = entry;
  if (isNew) run.changed.push({ kind: 'task_created', task: blockId, taskId: task.taskId, file: file.path });
  return { entry, task, comparison: compare(entry, task) };
}

const REFUSED = {
  other_task: 'the database has another one for it',
  other_repository: 'that is a task of another repository',
};

function wrongTask(entry: PlanEntry, why: string) {
  return finding('C-12', `Block ${entry.blockId} names task ${entry.taskId}, and ${why}`, placeOf(entry));
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
