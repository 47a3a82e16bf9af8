import { existsSync, readdirSync, rmSync } from 'node:fs';
import { changedPaths } from '../git/diff.ts';
import { headRef } from '../git/head.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { runGit } from '../git/run-git.ts';
import { treeOfFiles } from '../git/snapshot.ts';
import { inProgress } from '../git/worktree-files.ts';
import { worktreeGitDir } from '../git/worktree-git-dir.ts';
import { removeWorktree } from '../git/worktrees.ts';
import { withLock } from '../machine/locks.ts';
import { deleteWorkspace, findWorkspace } from '../machine/workspaces.ts';
import type { Workflow } from './workflow.ts';
import type { CreateIntent } from './workspace-intent.ts';

/**
 * Takes away what an interrupted creation left: the worktree and the branch, and only while nobody has worked in
 * either. What holds work of any kind stays, and so does what somebody else has put in this place.
 */
export async function removeHalfMade(workflow: Workflow, made: CreateIntent): Promise<'removed' | 'kept'> {
  const ref = `refs/heads/${made.branch}`;
  const head = await findRef(workflow.git, ref);
  if (head !== undefined && head !== made.commit) return 'kept';
  const found = await lookAt(workflow, made);
  if (found === 'work') return 'kept';
  await withLock(workflow.home, 'worktrees', async () => {
    if (found === 'half_made') rmSync(made.path, { recursive: true, force: true });
    await runGit(workflow.git, ['worktree', 'prune', '--expire=now'], { okExits: [0, 1, 128] });
  });
  if (head !== undefined && !made.restores) {
    await updateRefs(workflow.git, [{ ref, old: head, new: null }], 'gitswarm: undo workspace', {
      withCheckout: true,
    });
  }
  if (findWorkspace(workflow.machine, made.streamId)?.path === made.path) {
    deleteWorkspace(workflow.machine, made.streamId);
  }
  return 'removed';
}

/** What stands where a worktree was to be made. Files that were not written out yet are no work. */
async function lookAt(
  { git }: Workflow,
  made: CreateIntent,
): Promise<'nothing' | 'half_made' | 'work' | 'not_ours'> {
  if (!existsSync(made.path)) return 'nothing';
  if (readdirSync(made.path).length === 0) return 'half_made';
  const ref = await headRef(git, made.path).catch(() => undefined);
  if (ref !== `refs/heads/${made.branch}`) return 'not_ours';
  if (inProgress(worktreeGitDir(made.path)) !== undefined) return 'work';
  const changed = await changedPaths(git, made.commit, await treeOfFiles(git, made.path));
  return changed.some(({ status }) => status !== 'deleted') ? 'work' : 'half_made';
}

/** Takes a worktree off the disk; the caller has saved what it holds. */
export async function takeDown(workflow: Workflow, path: string): Promise<void> {
  await withLock(workflow.home, 'worktrees', async () => {
    if (existsSync(path)) await removeWorktree(workflow.git, path, { force: true });
    else await runGit(workflow.git, ['worktree', 'prune', '--expire=now']);
  });
}
