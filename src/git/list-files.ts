import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/**
 * The files of a worktree below these folders (all of them where one is empty) that git tracks or does not ignore, by
 * path. Takes no lock and writes nothing.
 */
export async function listWorktreeFiles(
  repo: Repository,
  worktree: string,
  folders: readonly string[],
): Promise<string[]> {
  const below = folders.includes('') ? [] : folders;
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...below];
  const { stdout } = await runGit(repo, args, { cwd: resolve(worktree) });
  return [...new Set(stdout.split('\0').filter((path) => path !== ''))].sort();
}

/**
 * Reads files of a worktree as they are; what is no file, or lies behind a link that leads elsewhere, is left out: the
 * content of a repository does not decide what else is read.
 */
export function readWorktreeFiles(
  worktree: string,
  paths: readonly string[],
): { path: string; bytes: Buffer }[] {
  const top = realpathSync(worktree);
  const isHere = new Map<string, boolean>();
  return paths.flatMap((path) => {
    const folder = dirname(path);
    if (!isHere.has(folder)) isHere.set(folder, isFolderOf(top, folder));
    const file = join(top, path);
    if (!isHere.get(folder) || !lstatSync(file, { throwIfNoEntry: false })?.isFile()) return [];
    return [{ path, bytes: readFileSync(file) }];
  });
}

function isFolderOf(top: string, folder: string): boolean {
  try {
    return realpathSync(join(top, folder)) === join(top, folder);
  } catch {
    return false;
  }
}
