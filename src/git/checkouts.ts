import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { listWorktrees } from './list-worktrees.ts';
import type { Repository } from './repository.ts';

/**
 * The refs some checkout stands on, with the directory of that checkout: HEAD of every worktree, and the branch a
 * running rebase or bisect will return to. Reads files only; it costs no process.
 */
export async function checkedOutRefs(repo: Repository): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { gitDir, worktree } of checkouts(repo)) {
    const head = readText(join(gitDir, 'HEAD'));
    // Storage of refs other than files keeps only a stub here.
    if (head === 'ref: refs/heads/.invalid') return askGit(repo);
    const refs = [
      /^ref: (refs\/.+)$/.exec(head)?.[1],
      readText(join(gitDir, 'rebase-merge', 'head-name')),
      readText(join(gitDir, 'rebase-apply', 'head-name')),
      bisected(readText(join(gitDir, 'BISECT_START'))),
    ];
    for (const ref of refs) if (ref?.startsWith('refs/')) found.set(ref, worktree);
  }
  return found;
}

/** Every git directory that has files checked out, and where these are. */
function checkouts(repo: Repository): { gitDir: string; worktree: string }[] {
  const main = repo.isBare ? [] : [{ gitDir: repo.commonDir, worktree: repo.root }];
  const dir = join(repo.commonDir, 'worktrees');
  const linked = listNames(dir).flatMap((name) => {
    const gitDir = join(dir, name);
    const pointer = readText(join(gitDir, 'gitdir'));
    return pointer === '' ? [] : [{ gitDir, worktree: dirname(resolve(gitDir, pointer)) }];
  });
  return [...main, ...linked.filter(({ worktree }) => exists(worktree))];
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
