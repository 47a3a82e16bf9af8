import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Repository } from './repository.ts';
import { type InProgress, inProgress } from './worktree-files.ts';

export type Leftover =
  /** A lock file. Whether its holder lives, git does not write down; the age is a hint, not a proof. */
  | { kind: 'lock'; path: string; ageMilliseconds: number }
  /** Records of a worktree whose directory is missing or was never finished. */
  | {
      kind: 'half_made_worktree';
      path: string;
      worktree: string | undefined;
      reason: 'no_directory' | 'no_head' | 'initializing' | 'no_files';
    }
  /** A merge, rebase, cherry-pick, revert or bisect that was begun and not ended. */
  | { kind: 'interrupted'; worktree: string; operation: InProgress };

/** What dead processes left behind in a repository. Only reports: nothing here deletes, least of all by age. */
export function findLeftovers(repo: Repository, now: number): Leftover[] {
  const admin = join(repo.commonDir, 'worktrees');
  const worktrees = list(admin).map((name) => join(admin, name));
  const main: Leftover[] = repo.isBare ? [] : interrupted(repo.commonDir, repo.root);
  return [
    ...locksIn(repo.commonDir, now),
    ...locksBelow(join(repo.commonDir, 'refs'), now),
    ...main,
    ...worktrees.flatMap((gitDir) => [...locksIn(gitDir, now), ...inspect(gitDir)]),
  ];
}

function inspect(gitDir: string): Leftover[] {
  const pointer = text(join(gitDir, 'gitdir'));
  const worktree = pointer === '' ? undefined : dirname(resolve(gitDir, pointer));
  const halfMade = (reason: 'no_directory' | 'no_head' | 'initializing' | 'no_files'): Leftover[] => [
    { kind: 'half_made_worktree', path: gitDir, worktree, reason },
  ];
  // git locks a worktree with this word while it makes it.
  if (text(join(gitDir, 'locked')) === 'initializing') return halfMade('initializing');
  if (worktree === undefined || !exists(join(worktree, '.git'))) {
    return exists(join(gitDir, 'locked')) ? [] : halfMade('no_directory');
  }
  if (text(join(gitDir, 'HEAD')) === '') return halfMade('no_head');
  if (!exists(join(gitDir, 'index'))) return halfMade('no_files');
  return interrupted(gitDir, worktree);
}

function interrupted(gitDir: string, worktree: string): Leftover[] {
  const operation = inProgress(gitDir);
  return operation === undefined ? [] : [{ kind: 'interrupted', worktree, operation }];
}

function locksIn(dir: string, now: number): Leftover[] {
  return list(dir)
    .filter((name) => name.endsWith('.lock'))
    .map((name) => lock(join(dir, name), now));
}

function locksBelow(dir: string, now: number): Leftover[] {
  return list(dir).flatMap((name) => {
    const path = join(dir, name);
    if (name.endsWith('.lock')) return [lock(path, now)];
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? locksBelow(path, now) : [];
  });
}

function lock(path: string, now: number): Leftover {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
  return { kind: 'lock', path, ageMilliseconds: Math.max(0, Math.round(now - written)) };
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
