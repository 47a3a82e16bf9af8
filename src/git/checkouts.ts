import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { listWorktrees } from './list-worktrees.ts';
import type { Repository } from './repository.ts';

/**
 * The refs some checkout stands on, with the directory of that checkout: HEAD of every worktree, and the branch a
 * running rebase or bisect will return to. `only` limits the answer to these refs. Reads files; costs no process.
 */
export async function checkedOutRefs(
  repo: Repository,
  only?: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const gitDir of gitDirs(repo)) {
    const head = readText(join(gitDir, 'HEAD'));
    // Storage of refs other than files keeps only a stub here.
    if (head === 'ref: refs/heads/.invalid') return askGit(repo);
    const refs = standsOn(gitDir, head).filter((ref) => ref.startsWith('refs/') && (only?.has(ref) ?? true));
    const worktree = refs.length === 0 ? undefined : worktreeOf(repo, gitDir);
    if (worktree !== undefined) for (const ref of refs) found.set(ref, worktree);
  }
  return found;
}

/** Every git directory that may have files checked out. */
function gitDirs(repo: Repository): string[] {
  const dir = join(repo.commonDir, 'worktrees');
  const linked = listNames(dir).map((name) => join(dir, name));
  return repo.isBare ? linked : [repo.commonDir, ...linked];
}

function standsOn(gitDir: string, head: string): string[] {
  const ref = /^ref: (refs\/.+)$/.exec(head)?.[1];
  if (ref !== undefined) return [ref];
  return [
    readText(join(gitDir, 'rebase-merge', 'head-name')),
    readText(join(gitDir, 'rebase-apply', 'head-name')),
    bisected(readText(join(gitDir, 'BISECT_START'))),
  ];
}

/** The directory of the files, or undefined where it is gone. */
function worktreeOf(repo: Repository, gitDir: string): string | undefined {
  if (gitDir === repo.commonDir) return repo.root;
  const pointer = readText(join(gitDir, 'gitdir'));
  const worktree = pointer === '' ? undefined : dirname(resolve(gitDir, pointer));
  return worktree !== undefined && exists(worktree) ? worktree : undefined;
}

async function askGit(repo: Repository): Promise<Map<string, string>> {
  const worktrees = await listWorktrees(repo);
  return new Map(
    worktrees.flatMap(({ branch, path, bare }) => (branch && !bare ? [[`refs/heads/${branch}`, path]] : [])),
  );
}

function bisected(start: string): string {
  return start === '' || start.startsWith('refs/') ? start : `refs/heads/${start}`;
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
