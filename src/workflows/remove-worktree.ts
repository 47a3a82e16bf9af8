import { existsSync, rmSync } from 'node:fs';
import { findRef, updateRefs } from '../git/refs.ts';
import { runGit } from '../git/run-git.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { removeWorktree } from '../git/worktrees.ts';
import { withLock } from '../machine/locks.ts';
import { deleteWorkspace, findWorkspace } from '../machine/workspaces.ts';
import type { Workflow } from './workflow.ts';
import type { CreateIntent } from './workspace-intent.ts';

/**
 * Takes away what an interrupted creation left: the worktree and the branch, and only while nobody has worked in
 * either. What holds work of any kind stays.
 */
export async function removeHalfMade(workflow: Workflow, made: CreateIntent): Promise<'removed' | 'kept'> {
  const ref = `refs/heads/${made.branch}`;
  const head = await findRef(workflow.git, ref);
  if (head !== undefined && head !== made.commit) return 'kept';
  if (existsSync(made.path) && !(await isUntouched(workflow, made.path))) return 'kept';
  await withLock(workflow.home, 'worktrees', async () => {
    if (existsSync(made.path)) rmSync(made.path, { recursive: true, force: true });
    await runGit(workflow.git, ['worktree', 'prune', '--expire=now'], { okExits: [0, 1, 128] });
  });
  if (head !== undefined) {
    await updateRefs(workflow.git, [{ ref, old: head, new: null }], 'gitswarm: undo workspace', {
      withCheckout: true,
    });
  }
  if (findWorkspace(workflow.machine, made.streamId)?.path === made.path) {
    deleteWorkspace(workflow.machine, made.streamId);
  }
  return 'removed';
}

/** No index yet, or nothing that differs from HEAD but files that were not written out. */
async function isUntouched(workflow: Workflow, path: string): Promise<boolean> {
  try {
    const status = await worktreeStatus(workflow.git, path);
    return status.untracked.length === 0 && status.inProgress === undefined;
  } catch {
    // git does not know it as a worktree: it stopped before git had written its records, so no file of ours is there.
    return true;
  }
}

/** Takes a worktree off the disk; the caller has saved what it holds. */
export async function takeDown(workflow: Workflow, path: string): Promise<void> {
  await withLock(workflow.home, 'worktrees', async () => {
    if (existsSync(path)) await removeWorktree(workflow.git, path, { force: true });
    else await runGit(workflow.git, ['worktree', 'prune', '--expire=now']);
  });
}
