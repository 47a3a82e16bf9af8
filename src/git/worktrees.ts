import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { assertOid } from './oid.ts';
import { branchRef } from './ref-name.ts';
import { findRef } from './refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { chooseDirectories } from './sparse.ts';
import { worktreeStatus } from './worktree-files.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export interface NewWorktree {
  path: string;
  branch: string;
  /** Where the branch starts; where it is, if it exists. */
  oid: string;
  /** Check out only these directories (files stand for their directory). `allowSparse` has said yes. */
  sparsePaths?: readonly string[] | undefined;
}

/** Makes a worktree on a branch. Of the two steps only the first must not run twice at a time in one repository. */
export async function addWorktree(repo: Repository, input: NewWorktree): Promise<void> {
  await registerWorktree(repo, input);
  await fillWorktree(repo, input);
}

/** The administrative step: git's records and an empty directory, in some milliseconds. Hold a lock around it. */
export async function registerWorktree(repo: Repository, input: NewWorktree): Promise<void> {
  const ref = branchRef(input.branch);
  assertOid(input.oid);
  const path = resolve(input.path);
  const at = await findRef(repo, ref);
  if (at !== undefined && at !== input.oid) {
    throw new SwarmError('stale', `${ref} is at ${at}, not at ${input.oid}`, { details: { ref, at } });
  }
  const fresh = at === undefined ? ['--no-track', '-b', input.branch] : [];
  const start = at === undefined ? input.oid : input.branch;
  await runGit(repo, ['worktree', 'add', '--quiet', '--no-checkout', ...fresh, '--', path, start]);
}

/** Puts the files in place. Does nothing where there is an index already, and never overwrites a file it finds. */
export async function fillWorktree(
  repo: Repository,
  { path, sparsePaths }: Pick<NewWorktree, 'path' | 'sparsePaths'>,
): Promise<void> {
  const worktree = { dir: resolve(path), env: repo.env };
  if (existsSync(join(worktreeGitDir(worktree.dir), 'index'))) return;
  if (sparsePaths) await chooseDirectories(repo, worktree.dir, sparsePaths);
  await runGit(worktree, ['read-tree', '-m', '-u', 'HEAD']);
}

/** Finishes what a filling that died has begun: writes the files that are missing, and leaves those that are there. */
export async function completeWorktree(repo: Repository, path: string): Promise<void> {
  const worktree = { dir: resolve(path), env: repo.env };
  if (existsSync(join(worktreeGitDir(worktree.dir), 'index'))) return;
  await runGit(worktree, ['read-tree', 'HEAD']);
  await runGit(worktree, ['checkout-index', '--all', '--quiet'], { okExits: [0, 1] });
  await runGit(worktree, ['update-index', '-q', '--refresh'], { okExits: [0, 1] });
}

/** Takes a worktree away. Throws worktree_dirty where files would be lost, unless `force` says that they are saved. */
export async function removeWorktree(
  repo: Repository,
  path: string,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  const target = resolve(path);
  if (!force && existsSync(target)) {
    const status = await worktreeStatus(repo, target);
    if (!status.clean || status.inProgress) {
      throw new SwarmError('worktree_dirty', `${target} has work that is not committed`, {
        details: { path: target, files: [...status.staged, ...status.unstaged, ...status.untracked] },
      });
    }
  }
  await runGit(repo, ['worktree', 'remove', ...(force ? ['--force'] : []), '--', target]);
}

/** Mends the links between a worktree that was moved and its repository. */
export async function repairWorktree(repo: Repository, path: string): Promise<void> {
  await runGit(repo, ['worktree', 'repair', '--', resolve(path)]);
}
