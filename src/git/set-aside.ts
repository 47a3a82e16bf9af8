import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import { treeOf } from './commits.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { widenWorktree } from './sparse.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

/** How a worktree was before a merge was begun in it, beside its index of that time in its git directory. */
const Before = z.object({
  head: z.string(),
  /** What is being merged in. */
  onto: z.string(),
  /** What was not committed then; null where there was nothing. */
  snapshot: z.object({ ref: z.string(), commit: z.string() }).nullable(),
});
export type Before = z.infer<typeof Before>;

export function findBefore(worktree: string): Before | undefined {
  const file = join(folderOf(worktree), 'before.json');
  if (!existsSync(file)) return undefined;
  try {
    return Before.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SwarmError('internal', `${file} cannot be read.`, { cause, fix: 'gitswarm doctor' });
  }
}

export function forgetBefore(worktree: string): void {
  rmSync(folderOf(worktree), { recursive: true, force: true });
}

/** Notes how the worktree is and sets aside what is not committed; everything of it is in the snapshot. */
export async function setAside(repo: Repository, worktree: string, before: Before): Promise<void> {
  await widenWorktree(repo, worktree);
  const folder = folderOf(worktree);
  mkdirSync(folder, { recursive: true });
  copyFileSync(indexOf(worktree), join(folder, 'index'));
  writeFileSync(join(folder, 'before.json'), JSON.stringify(before));
  if (before.snapshot === null) return;
  const to = await treeOf(repo, before.head);
  await swapFiles(repo, worktree, { from: await treeOf(repo, before.snapshot.commit), to });
}

/** Puts files, index and what was set aside back as they were. `now` is a snapshot of what the worktree holds. */
export async function bringBack(
  repo: Repository,
  worktree: string,
  before: Before,
  now: string | null,
): Promise<void> {
  const [from, to] = await Promise.all([
    treeOf(repo, now ?? before.head),
    treeOf(repo, before.snapshot?.commit ?? before.head),
  ]);
  await swapFiles(repo, worktree, { from, to });
  await runGit(repo, ['merge', '--quit'], { cwd: resolve(worktree) });
  copyFileSync(join(folderOf(worktree), 'index'), indexOf(worktree));
  await refresh(repo, worktree);
  forgetBefore(worktree);
}

/** Changes the files that git does not ignore from one tree to another; refuses where they are not those of `from`. */
async function swapFiles(
  repo: Repository,
  worktree: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const cwd = resolve(worktree);
  const index = readFileSync(indexOf(worktree));
  try {
    await runGit(repo, ['read-tree', from], { cwd });
    await refresh(repo, worktree);
    await runGit(repo, ['read-tree', '-m', '-u', from, to], { cwd });
  } catch (error) {
    writeFileSync(indexOf(worktree), index);
    throw error;
  }
}

async function refresh(repo: Repository, worktree: string): Promise<void> {
  await runGit(repo, ['update-index', '-q', '--refresh'], { cwd: resolve(worktree), okExits: [0, 1] });
}

function folderOf(worktree: string): string {
  return join(worktreeGitDir(resolve(worktree)), 'gitswarm-resolve');
}

function indexOf(worktree: string): string {
  return join(worktreeGitDir(resolve(worktree)), 'index');
}
