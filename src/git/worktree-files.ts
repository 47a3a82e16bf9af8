import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export type InProgress = 'merge' | 'rebase' | 'cherry-pick' | 'revert' | 'bisect';

export interface WorktreeStatus {
  /** Undefined when HEAD is detached. */
  branch: string | undefined;
  /** Undefined on a branch without commits. */
  head: string | undefined;
  /** Nothing staged, changed, unmerged or untracked. Ignored files do not count. */
  clean: boolean;
  staged: string[];
  unstaged: string[];
  untracked: string[];
  unmerged: string[];
  inProgress: InProgress | undefined;
  indexLocked: boolean;
}

/** What differs from HEAD in a worktree, every untracked file by name. Takes no lock, so it disturbs nobody. */
export async function worktreeStatus(repo: Repository, worktree: string): Promise<WorktreeStatus> {
  const dir = resolve(worktree);
  const gitDir = worktreeGitDir(dir);
  const args = ['--no-optional-locks', 'status', '--porcelain=v2', '--branch', '-z'];
  const { stdout } = await runGit(repo, [...args, '--untracked-files=all', '--no-renames'], { cwd: dir });
  const status: WorktreeStatus = {
    branch: undefined,
    head: undefined,
    clean: true,
    staged: [],
    unstaged: [],
    untracked: [],
    unmerged: [],
    inProgress: inProgress(gitDir),
    indexLocked: existsSync(join(gitDir, 'index.lock')),
  };
  for (const entry of stdout.split('\0')) readEntry(entry, status);
  const { staged, unstaged, untracked, unmerged } = status;
  status.clean = staged.length + unstaged.length + untracked.length + unmerged.length === 0;
  return status;
}

/** The operation that was begun in a worktree and not ended, read from git's own marks. */
export function inProgress(gitDir: string): InProgress | undefined {
  const has = (name: string) => existsSync(join(gitDir, name));
  if (has('rebase-merge') || has('rebase-apply')) return 'rebase';
  if (has('MERGE_HEAD')) return 'merge';
  if (has('CHERRY_PICK_HEAD')) return 'cherry-pick';
  if (has('REVERT_HEAD')) return 'revert';
  if (has('BISECT_LOG')) return 'bisect';
  return undefined;
}

function readEntry(entry: string, status: WorktreeStatus): void {
  const kind = entry[0];
  if (kind === '#') readBranch(entry, status);
  else if (kind === '?') status.untracked.push(entry.slice(2));
  else if (kind === 'u') status.unmerged.push(afterFields(entry, 10));
  else if (kind === '1') {
    const path = afterFields(entry, 8);
    if (entry[2] !== '.') status.staged.push(path);
    if (entry[3] !== '.') status.unstaged.push(path);
  }
}

function readBranch(entry: string, status: WorktreeStatus): void {
  const [, name, ...rest] = entry.split(' ');
  const value = rest.join(' ');
  if (name === 'branch.oid' && value !== '(initial)') status.head = value;
  if (name === 'branch.head' && value !== '(detached)') status.branch = value;
}

/** The rest of a line after so many fields: a path may hold spaces. */
function afterFields(entry: string, count: number): string {
  let at = 0;
  for (let i = 0; i < count; i++) at = entry.indexOf(' ', at) + 1;
  return entry.slice(at);
}
