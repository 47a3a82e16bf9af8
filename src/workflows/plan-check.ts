import type { PlanStatus } from '../contract/workplans.ts';
import {
  comparisonFindings,
  contradictions,
  dependencyFindings,
  type PlanPair,
} from '../domain/workplans/compare-plans.ts';
import type { PlanEntry } from '../domain/workplans/plan-entries.ts';
import { finding, type PlanFinding } from '../domain/workplans/plan-findings.ts';
import type { PlanReport } from './plan-report.ts';
import { changedLocally, type PlanView, viewPlans } from './plan-view.ts';
import type { Workflow } from './workflow.ts';

/** Compares the workplans of a checkout with the tasks of the authority, and writes nothing, anywhere. */
export async function checkPlans(workflow: Workflow, options: { ask: boolean }): Promise<PlanReport> {
  const view = await viewPlans(workflow, options);
  const findings = [...standingFindings(view), ...comparisonFindings(view.comparison, view)];
  if (view.isBehind) findings.push(behindFinding(workflow, 'INFO'));
  findings.push(...(await uncommitted(workflow, view)));
  return { repo: workflow.repo.name, findings: inOrder(findings), changed: [] };
}

/** What fix cannot mend either: the files themselves, their dependencies, plans that contradict their tasks. */
export function standingFindings(view: PlanView): PlanFinding[] {
  const { files, entries, findings } = view;
  return [...findings, ...dependencyFindings(entries), ...contradictions(files, statusesOf(view))];
}

/** What holds of each block: the database, but for news in the file and for blocks that have no task. */
function* statusesOf({ comparison }: PlanView): Iterable<{ entry: PlanEntry; status: PlanStatus }> {
  for (const { entry, task, comparison: how } of comparison.pairs) {
    yield { entry, status: how.kind === 'file_ahead' ? entry.status : task.status };
  }
  for (const { entry } of comparison.unlinked) yield { entry, status: entry.status };
}

export function behindFinding({ repo }: Workflow, severity: 'WARN' | 'INFO'): PlanFinding {
  const message = `Repo '${repo.name}' is behind remote — pull before fixing to avoid clobbering remote progress`;
  return finding('C-14', message, { severity });
}

export function uncommittedFinding(file: string, severity: 'WARN' | 'INFO'): PlanFinding {
  return finding('C-14', 'workplan has uncommitted changes — skipping writeback', { file, severity });
}

/** The files that fix would have to write to and would not, because somebody is at work on them. */
async function uncommitted(workflow: Workflow, { worktree, comparison }: PlanView): Promise<PlanFinding[]> {
  const waiting = [
    ...comparison.unlinked.map(({ entry }) => entry),
    ...comparison.pairs.filter(needsWriteback).map(({ entry }) => entry),
  ];
  if (waiting.length === 0) return [];
  const changed = await changedLocally(workflow, worktree);
  const files = new Set(waiting.map((entry) => entry.file.path).filter((path) => changed.has(path)));
  return [...files].map((path) => uncommittedFinding(path, 'INFO'));
}

/** The file does not say what the database says, and the database is right; or it lacks the id of its task. */
export function needsWriteback({ entry, comparison }: PlanPair): boolean {
  const isStale = comparison.kind === 'database_ahead' || comparison.kind === 'set_back';
  return isStale || entry.taskId === undefined;
}

/** By file and line; what belongs to no file comes first. */
export function inOrder(findings: readonly PlanFinding[]): PlanFinding[] {
  return findings.toSorted(
    (a, b) =>
      compareText(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || compareText(a.code, b.code),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
