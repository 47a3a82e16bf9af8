import { resolve } from 'node:path';
import { treeOf } from './commits.ts';
import type { ConflictFile } from './merge-tree-output.ts';
import type { Repository } from './repository.ts';
import { resolveConflict } from './resolve-conflict.ts';
import { runGit } from './run-git.ts';

const ENTRY = /^(\d+) ([0-9a-f]+) ([123])\t(.*)$/s;
const SIDE = { 1: 'base', 2: 'ours', 3: 'theirs' } as const;

/** The files that a merge in a worktree has left to be decided, with what each side holds; `ours` is its branch. */
export async function unmergedFiles(repo: Repository, worktree: string): Promise<ConflictFile[]> {
  const { stdout } = await runGit(repo, ['ls-files', '-u', '-z', '--full-name'], { cwd: resolve(worktree) });
  const files = new Map<string, ConflictFile>();
  for (const entry of stdout.split('\0')) {
    const [, mode = '', oid = '', stage = '', path = ''] = ENTRY.exec(entry) ?? [];
    if (stage !== '1' && stage !== '2' && stage !== '3') continue;
    const file: ConflictFile = files.get(path) ?? { path, kind: 'other' };
    files.set(path, { ...file, [SIDE[stage]]: { mode, oid } });
  }
  return [...files.values()].map((file) => ({ ...file, kind: kindOf(file) }));
}

function kindOf({ base, ours, theirs }: ConflictFile): ConflictFile['kind'] {
  if (ours && theirs) return base ? 'content' : 'added_twice';
  return ours || theirs ? 'changed_and_deleted' : 'other';
}

/**
 * Decides files of a merge for one side, in the worktree and in its index: of a text only the lines that clash, of
 * anything else the whole file. What is in the worktree at these paths is overwritten; the caller has saved it.
 */
export async function settleFiles(
  repo: Repository,
  worktree: string,
  { files, side, head }: { files: readonly ConflictFile[]; side: 'ours' | 'theirs'; head: string },
): Promise<void> {
  const cwd = resolve(worktree);
  const list = (paths: readonly ConflictFile[]) => paths.map(({ path }) => `${path}\0`).join('');
  const fromInput = ['--pathspec-from-file=-', '--pathspec-file-nul'];
  const held = files.filter((file) => file.ours || file.theirs);
  const gone = files.filter((file) => !file.ours && !file.theirs);
  const conflict = {
    kind: 'conflict' as const,
    tree: await treeOf(repo, head),
    files: [...held],
    messages: [],
  };
  const tree = held.length === 0 ? undefined : await resolveConflict(repo, conflict, side);
  if (tree !== undefined) {
    const kept = held.filter((file) => file[side]);
    const removed = held.filter((file) => !file[side]);
    if (kept.length > 0) {
      await runGit(repo, ['checkout', '--quiet', ...fromInput, tree], { cwd, input: list(kept) });
    }
    gone.push(...removed);
  }
  if (gone.length > 0) {
    await runGit(repo, ['rm', '--quiet', '--force', '--ignore-unmatch', ...fromInput], {
      cwd,
      input: list(gone),
    });
  }
}
