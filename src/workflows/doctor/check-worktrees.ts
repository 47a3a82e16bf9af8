import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { shellWord } from '../../base/shell-word.ts';
import { headOf } from '../../git/head.ts';
import { findLeftovers, type Leftover } from '../../git/leftovers.ts';
import { runGit } from '../../git/run-git.ts';
import { type Checkout, listCheckouts } from '../../machine/checkouts.ts';
import { withLock } from '../../machine/locks.ts';
import { deleteWorkspace, listWorkspaces, type Workspace } from '../../machine/workspaces.ts';
import { removeCheckout } from '../checkout-pool.ts';
import type { Workflow } from '../workflow.ts';
import type { Finding } from './finding.ts';

/** Worktrees that are missing or stand elsewhere, and what dead processes left in git's directory. */
export async function checkWorktrees(workflow: Workflow): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const workspace of listWorkspaces(workflow.machine)) {
    const finding = await checkWorkspace(workflow, workspace);
    if (finding) findings.push(finding);
  }
  for (const leftover of findLeftovers(workflow.git, workflow.clock.now())) {
    findings.push(describeLeftover(workflow, leftover));
  }
  if (findings.length > 0) return findings;
  return [
    {
      check: 'worktrees',
      level: 'ok',
      text: `${listWorkspaces(workflow.machine).length} workspaces stand where they should`,
    },
  ];
}

async function checkWorkspace(workflow: Workflow, workspace: Workspace): Promise<Finding | undefined> {
  const { path, branch } = workspace;
  if (!existsSync(path)) {
    return {
      check: 'worktrees',
      level: 'problem',
      text: `the workspace at ${path} is gone; its branch ${branch} is still there`,
      mend: async () => {
        await withLock(workflow.home, 'worktrees', () => runGit(workflow.git, ['worktree', 'prune']));
        deleteWorkspace(workflow.machine, workspace.stream_id);
        return 'forgotten; gitswarm workspace restore makes it anew';
      },
    };
  }
  const head = await headOf(workflow.git, path).catch(() => undefined);
  if (head === undefined) {
    return {
      check: 'worktrees',
      level: 'problem',
      text: `${path} is no worktree any more`,
      fix: `git worktree repair ${shellWord(path)}`,
    };
  }
  if (head.kind !== 'detached' && head.branch === branch) return undefined;
  const where = head.kind === 'detached' ? 'a detached HEAD' : head.branch;
  return {
    check: 'worktrees',
    level: 'problem',
    text: `${path} stands on ${where}, not on ${branch}`,
    fix: `git -C ${shellWord(path)} switch ${branch}`,
  };
}

function describeLeftover(workflow: Workflow, leftover: Leftover): Finding {
  if (leftover.kind === 'interrupted') {
    return {
      check: 'leftovers',
      level: 'note',
      text: `a ${leftover.operation} was begun in ${leftover.worktree} and not ended`,
      fix: `git -C ${shellWord(leftover.worktree)} ${leftover.operation} --abort, or finish it`,
    };
  }
  if (leftover.kind === 'half_made_worktree') {
    const checkout = listCheckouts(workflow.machine).find(({ path }) => path === leftover.worktree);
    if (checkout) return describeCheckout(workflow, checkout);
    return {
      check: 'leftovers',
      level: 'problem',
      text: `git has records of an unfinished worktree (${leftover.reason.replace('_', ' ')})${leftover.worktree ? ` at ${leftover.worktree}` : ''}`,
      fix: 'git worktree prune',
    };
  }
  const seconds = Math.round(leftover.ageMilliseconds / 1000);
  const isAlive = someGitIsAtWork(workflow);
  return {
    check: 'leftovers',
    level: 'problem',
    text: `${leftover.path} has been held for ${seconds} s${isAlive ? ' and git is at work here' : '; no git is at work here'}`,
    ...(isAlive === false
      ? {
          mend: async () => {
            rmSync(leftover.path, { force: true });
            return 'removed: its holder is dead';
          },
        }
      : { fix: `wait; if no git is running: rm ${leftover.path}` }),
  };
}

/** A place in which tests run is made anew at the next test: the rest of one whose maker died is taken away. */
function describeCheckout(workflow: Workflow, checkout: Checkout): Finding {
  const text = `a checkout for tests was not finished at ${checkout.path}`;
  if (checkout.holder !== null && workflow.machine.isAlive(checkout.holder)) {
    return { check: 'leftovers', level: 'note', text: `${text}: it is being made` };
  }
  return {
    check: 'leftovers',
    level: 'problem',
    text,
    mend: async () => {
      await removeCheckout(workflow, checkout);
      return 'removed: its holder is dead';
    },
  };
}

/** Whether any git process works in this repository; undefined where this system does not say. */
function someGitIsAtWork(workflow: Workflow): boolean | undefined {
  if (!existsSync('/proc/self/cwd')) return undefined;
  const roots = [
    workflow.git.root,
    workflow.git.commonDir,
    ...listWorkspaces(workflow.machine).map((each) => each.path),
  ];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .some((pid) => {
      try {
        const program = readlinkSync(`/proc/${pid}/exe`).split('/').at(-1) ?? '';
        if (!program.startsWith('git')) return false;
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        // Our own long-lived helpers hold no lock between two questions.
        return roots.some((root) => cwd === root || cwd.startsWith(`${root}/`)) && !isOwnChild(pid);
      } catch {
        return false;
      }
    });
}

function isOwnChild(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid;
  } catch {
    return false;
  }
}
