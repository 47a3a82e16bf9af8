import { plainLine } from '../../base/plain-text.ts';
import type { PlanStatus, PlanTask } from '../../contract/workplans.ts';
import { findCircles } from './dependency-circles.ts';
import type { PlanEntry, PlanFile } from './plan-entries.ts';
import { finding, type PlanFinding } from './plan-findings.ts';
import { type Comparison, compareStatus, isOver } from './plan-status.ts';

/** A block beside its task. */
export interface PlanPair {
  entry: PlanEntry;
  task: PlanTask;
  comparison: Comparison;
}

/** A block that has to be tied to a task first. */
export interface NewEntry {
  entry: PlanEntry;
  /** The database has another task for it than the file says. */
  other: PlanTask | undefined;
}

export interface PlanComparison {
  pairs: PlanPair[];
  unlinked: NewEntry[];
  /** Tasks whose block is in none of the files. */
  lost: PlanTask[];
}

/** Finds for every block its task, by the id in the file and else by the id of the block. */
export function pairUp(entries: readonly PlanEntry[], tasks: readonly PlanTask[]): PlanComparison {
  const byBlock = new Map<string, PlanTask>();
  for (const task of tasks) if (task.blockId !== null) byBlock.set(task.blockId, task);
  const result: PlanComparison = { pairs: [], unlinked: [], lost: [] };
  const met = new Set<PlanTask>();
  const odd: PlanEntry[] = [];
  for (const entry of entries) {
    const task = byBlock.get(entry.blockId);
    if (task && (entry.taskId === undefined || entry.taskId === task.taskId)) {
      met.add(task);
      result.pairs.push({ entry, task, comparison: compare(entry, task) });
    } else odd.push(entry);
  }
  const byId = odd.length === 0 ? undefined : new Map(tasks.map((task) => [task.taskId, task]));
  for (const entry of odd) {
    const other = byBlock.get(entry.blockId);
    // The block may only have another id now.
    const named = entry.taskId === undefined ? undefined : byId?.get(entry.taskId);
    for (const task of [other, named]) if (task) met.add(task);
    result.unlinked.push({ entry, other });
  }
  result.lost = tasks.filter((task) => task.blockId !== null && !met.has(task) && !isOver(task.status));
  return result;
}

export function compare(entry: PlanEntry, task: PlanTask): Comparison {
  return compareStatus({ file: entry.status, database: task.status, reached: task.reached });
}

/** What a check says of blocks and tasks side by side. */
export function comparisonFindings(
  { pairs, unlinked, lost }: PlanComparison,
  given: { isBehind: boolean },
): PlanFinding[] {
  return [
    ...unlinked.map((each) => unlinkedFinding(each)),
    ...pairs.flatMap((pair) => pairFinding(pair) ?? []),
    ...lost.map((task) =>
      finding(
        'C-16',
        `Task ${task.handle} '${plainLine(task.title)}' has no block any more (it was ${task.blockId})`,
        {
          taskId: task.taskId,
          ...(task.blockId === null ? {} : { task: task.blockId }),
          ...(task.file === null ? {} : { file: task.file }),
          ...(given.isBehind ? { severity: 'INFO' as const } : {}),
        },
      ),
    ),
  ];
}

function unlinkedFinding({ entry, other }: NewEntry): PlanFinding {
  const { blockId, taskId } = entry;
  if (other) {
    const message = `Block ${blockId} names task ${taskId}, and the database has ${other.taskId} (${other.handle}) for it`;
    return finding('C-12', message, placeOf(entry));
  }
  const message =
    taskId === undefined
      ? `Block ${blockId} has no task yet`
      : `Task ${taskId} is not tied to ${blockId} in this database yet`;
  return finding('C-10', message, placeOf(entry));
}

/** C-11, C-13 or C-17, in the words that people know. */
export function pairFinding({ entry, task, comparison }: PlanPair): PlanFinding | undefined {
  const statuses = `db=${task.status}, file=${entry.status}`;
  const title = plainLine(task.title);
  const where = { ...placeOf(entry), taskId: task.taskId };
  switch (comparison.kind) {
    case 'same':
      return undefined;
    case 'file_ahead':
      return finding(
        'C-11',
        `Task '${title}' differs (${statuses}): the file is ahead of the database`,
        where,
      );
    case 'database_ahead':
      return finding(
        'C-13',
        `DB task '${title}' is ahead of file (${statuses}) — skipped to prevent regression`,
        where,
      );
    case 'set_back':
      return finding(
        'C-17',
        `DB task '${title}' had been ${task.reached} and was set back since (${statuses}): the file tells no news`,
        where,
      );
  }
}

export function placeOf(entry: PlanEntry): { file: string; line: number; task: string } {
  const line = entry.block.fields.get('status')?.line ?? entry.block.line;
  return { file: entry.file.path, line, task: entry.blockId };
}

const MOST_CIRCLES = 50;

/** Dependencies that name no block, and circles. */
export function dependencyFindings(entries: readonly PlanEntry[]): PlanFinding[] {
  if (entries.every((entry) => entry.dependsOn.length === 0)) return [];
  const known = new Set(entries.map((entry) => entry.blockId));
  const edges = new Map<string, readonly string[]>();
  const findings: PlanFinding[] = [];
  for (const entry of entries) {
    if (entry.dependsOn.length === 0) continue;
    edges.set(entry.blockId, entry.dependsOn);
    for (const name of entry.dependsOn.filter((each) => !known.has(each))) {
      const message = `${entry.blockId} depends on ${plainLine(name).slice(0, 200)}, which is no block of these workplans`;
      findings.push(finding('C-08', message, placeOf(entry)));
    }
  }
  const byBlock = new Map(entries.map((entry) => [entry.blockId, entry]));
  for (const circle of findCircles(edges, MOST_CIRCLES)) {
    const entry = byBlock.get(circle[0] ?? '');
    const names = [...circle.slice(0, 10), ...(circle.length > 10 ? ['…'] : [])].join(' -> ');
    if (entry) findings.push(finding('C-08', `These blocks wait for each other: ${names}`, placeOf(entry)));
  }
  return findings;
}

const OVER = ['done', 'completed', 'complete', 'closed'];
const RUNNING = ['todo', 'active', 'open', 'in_progress', 'in-progress', 'blocked'];

/** Plans whose own status says something else than their tasks; `statuses` has what holds of each block. */
export function contradictions(
  files: readonly PlanFile[],
  statuses: Iterable<{ entry: PlanEntry; status: PlanStatus }>,
): PlanFinding[] {
  const counts = new Map(files.map((file) => [file, { all: 0, open: [] as string[] }]));
  for (const { entry, status } of statuses) {
    const count = counts.get(entry.file);
    if (!count) continue;
    count.all++;
    if (!isOver(status)) count.open.push(entry.blockId);
  }
  return files.flatMap((file) => {
    if (file.parsed.kind !== 'workplan') return [];
    const field = file.parsed.plan.front.get('status');
    const { all, open } = counts.get(file) ?? { all: 0, open: [] };
    // A plan with blocks that could not be read is not judged by the others.
    if (!field || all === 0 || all < file.parsed.plan.blocks.length) return [];
    const where = { file: file.path, line: field.line };
    if (OVER.includes(field.value) && open.length > 0) {
      const names = open.slice(0, 5).join(', ');
      const message = `The plan says ${field.value}, and ${open.length} of its tasks are not: ${names}`;
      return [finding('C-09', message, where)];
    }
    if (RUNNING.includes(field.value) && open.length === 0) {
      return [finding('C-09', `The plan says ${field.value}, and all of its ${all} tasks are over`, where)];
    }
    return [];
  });
}
