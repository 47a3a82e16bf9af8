import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { branchOf } from './ref-name.ts';
import { findRef } from './refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

/** Where a worktree stands. */
export type Head =
  | { kind: 'branch'; branch: string; oid: string }
  | { kind: 'unborn'; branch: string }
  | { kind: 'detached'; oid: string };

/** HEAD of a worktree; without a worktree, HEAD of the repository itself. */
export async function headOf(repo: Repository, worktree?: string): Promise<Head> {
  const gitDir = worktree === undefined ? repo.commonDir : worktreeGitDir(worktree);
  const text = readFileSync(join(gitDir, 'HEAD'), 'utf8').trimEnd();
  const ref =
    text === 'ref: refs/heads/.invalid' ? await askGit(repo, gitDir) : /^ref: (.+)$/.exec(text)?.[1];
  if (ref === undefined) {
    const { stdout } = await runGit(repo, ['rev-parse', 'HEAD'], { env: { GIT_DIR: gitDir } });
    return { kind: 'detached', oid: stdout.trim() };
  }
  const branch = branchOf(ref) ?? ref;
  const oid = await findRef(repo, ref);
  return oid === undefined ? { kind: 'unborn', branch } : { kind: 'branch', branch, oid };
}

/** The full name of the ref that HEAD of a worktree stands on, or undefined when it is detached. */
export async function headRef(repo: Repository, worktree: string): Promise<string | undefined> {
  const gitDir = worktreeGitDir(worktree);
  const text = readFileSync(join(gitDir, 'HEAD'), 'utf8').trimEnd();
  if (text === 'ref: refs/heads/.invalid') return askGit(repo, gitDir);
  return /^ref: (.+)$/.exec(text)?.[1];
}

async function askGit(repo: Repository, gitDir: string): Promise<string | undefined> {
  const result = await runGit(repo, ['symbolic-ref', '-q', 'HEAD'], {
    env: { GIT_DIR: gitDir },
    okExits: [0, 1],
  });
  return result.stdout.trim() || undefined;
}
