import picomatch from 'picomatch';
import { allPages } from '../base/all-pages.ts';
import { RepoPath } from '../contract/common.ts';
import { SwarmError } from '../contract/errors.ts';
import { listPlanTasks, type PlanTask } from '../contract/workplans.ts';
import { type PlanComparison, pairUp } from '../domain/workplans/compare-plans.ts';
import { parseWorkplan } from '../domain/workplans/parse-workplan.ts';
import { type PlanEntry, type PlanFile, readEntries } from '../domain/workplans/plan-entries.ts';
import type { PlanFinding } from '../domain/workplans/plan-findings.ts';
import { type Head, headOf } from '../git/head.ts';
import { listWorktreeFiles, readWorktreeFiles } from '../git/list-files.ts';
import { askRemote, lacks, upstreamOf } from '../git/upstream.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import type { Workflow } from './workflow.ts';

/** The workplans of a checkout beside the tasks of the authority: all that check and fix look at. */
export interface PlanView {
  worktree: string;
  head: Head;
  /** The upstream has commits that HEAD lacks. */
  isBehind: boolean;
  files: PlanFile[];
  entries: PlanEntry[];
  /** What is wrong with the files themselves. */
  findings: PlanFinding[];
  comparison: PlanComparison;
}

/** How long a remote is waited for; one that is away must not hold up anybody. */
const PATIENCE_MS = 5_000;
const PAGE = 5_000;
const MOST_IDS = 500;

/** Looks at files, tasks and upstream. Writes nothing, in git neither. */
export async function viewPlans(workflow: Workflow, options: { ask: boolean }): Promise<PlanView> {
  const worktree = checkoutOf(workflow);
  const head = await headOf(workflow.git, worktree);
  const [isBehind, files] = await Promise.all([
    isBehindUpstream(workflow, head, options),
    readPlanFiles(workflow, worktree),
  ]);
  const { entries, findings } = readEntries(files);
  const comparison = pairUp(entries, await tasksFor(workflow, entries));
  return { worktree, head, isBehind, files, entries, findings, comparison };
}

/** The checkout one stands in; from inside a git directory the first one. */
export function checkoutOf({ git }: Workflow): string {
  if (git.worktreeDir !== undefined) return git.worktreeDir;
  if (!git.isBare) return git.root;
  throw new SwarmError('wrong_state', `${git.root} is a bare repository: there are no files to look at.`, {
    fix: 'Run it in a worktree: git worktree add <path>',
  });
}

async function isBehindUpstream(workflow: Workflow, head: Head, { ask }: { ask: boolean }): Promise<boolean> {
  if (head.kind !== 'branch') return false;
  const upstream = await upstreamOf(workflow.git, head.branch);
  if (!upstream) return false;
  const tip = (ask ? await askRemote(workflow.git, upstream, PATIENCE_MS) : undefined) ?? upstream.known;
  return tip !== undefined && (await lacks(workflow.git, head.oid, tip));
}

async function readPlanFiles({ git, repo }: Workflow, worktree: string): Promise<PlanFile[]> {
  const globs = repo.config.workplans;
  const isPlan = picomatch(globs);
  const folders = [...new Set(globs.map((glob) => picomatch.scan(glob).base))];
  const paths = (await listWorktreeFiles(git, worktree, folders)).filter((path) => isPlan(path));
  return readWorktreeFiles(worktree, paths).map(({ path, bytes }) => {
    const parsed = parseWorkplan(bytes);
    if (parsed.kind !== 'workplan' || RepoPath.safeParse(path).success) return { path, bytes, parsed };
    const reason = 'its name cannot be kept: no backslashes';
    return { path, bytes, parsed: { kind: 'unusable' as const, line: 1, reason } };
  });
}

/** Every task that belongs to a block, and those that files name without that. */
async function tasksFor(workflow: Workflow, entries: readonly PlanEntry[]): Promise<PlanTask[]> {
  const { authority, repo } = workflow;
  const tasks = await allPages((cursor) =>
    authority.call(listPlanTasks, { repoId: repo.id, limit: PAGE, cursor }),
  );
  const known = new Set(tasks.map((task) => task.taskId));
  const named = entries.flatMap(({ taskId }) => (taskId === undefined || known.has(taskId) ? [] : [taskId]));
  return [...tasks, ...(await tasksById(workflow, named))];
}

/** These tasks as they are now; ids that the repository does not have are left out. */
export async function tasksById({ authority, repo }: Workflow, ids: readonly string[]): Promise<PlanTask[]> {
  const tasks: PlanTask[] = [];
  for (let at = 0; at < ids.length; at += MOST_IDS) {
    const some = ids.slice(at, at + MOST_IDS);
    tasks.push(...(await authority.call(listPlanTasks, { repoId: repo.id, tasks: some })).items);
  }
  return tasks;
}

/** The paths of a checkout that are not as HEAD has them: never written to. */
export async function changedLocally({ git }: Workflow, worktree: string): Promise<Set<string>> {
  const { staged, unstaged, untracked, unmerged } = await worktreeStatus(git, worktree);
  return new Set([...staged, ...unstaged, ...untracked, ...unmerged]);
}
