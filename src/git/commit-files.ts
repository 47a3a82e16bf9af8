import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { treeOf, writeCommit } from './commits.ts';
import { type BehindReason, moveCheckout } from './move-checkout.ts';
import type { Signature } from './person.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export interface FileCommit {
  /** The full name of the branch that the worktree stands on, and the commit it is at. */
  ref: string;
  head: string;
  /** Whole contents of files that HEAD has and that are as it has them. */
  files: { path: string; bytes: Buffer }[];
  message: string;
  author: Signature;
  committer: Signature;
}

export type FileCommitResult =
  | { kind: 'committed'; commit: string }
  | { kind: 'nothing' }
  /** Nothing has changed, for this reason. */
  | { kind: 'behind'; reason: BehindReason; files: string[] }
  | { kind: 'lost'; message: string };

/**
 * Commits new contents of a few files in a checkout that belongs to somebody: the tree is made on an index of our own,
 * and branch, index and files then move together. Whatever else is staged, changed or untracked stays as it is.
 */
export async function commitFiles(
  repo: Repository,
  worktree: string,
  given: FileCommit,
): Promise<FileCommitResult> {
  const dir = resolve(worktree);
  const tree = await treeWith(repo, dir, given);
  if (tree === (await treeOf(repo, given.head))) return { kind: 'nothing' };
  const { author, committer, message } = given;
  const commit = writeCommit(repo, { tree, parents: [given.head], author, committer, message });
  const moved = await moveCheckout(repo, { worktree: dir, ref: given.ref, old: given.head, new: commit });
  if (moved.kind !== 'moved') return moved;
  await keepBytes(repo, dir, given.files);
  return { kind: 'committed', commit };
}

/** The tree of HEAD with these files, cleaned by the filters of the repository as `git add` would. */
async function treeWith(repo: Repository, worktree: string, { head, files }: FileCommit): Promise<string> {
  const scratch = mkdtempSync(join(worktreeGitDir(worktree), 'gitswarm-commit-'));
  const top = join(scratch, 'files');
  const env = {
    ...repo.env,
    GIT_INDEX_FILE: join(scratch, 'index'),
    GIT_DIR: worktreeGitDir(worktree),
    GIT_WORK_TREE: top,
  };
  try {
    for (const { path, bytes } of files) {
      const file = join(top, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      chmodSync(file, statSync(join(worktree, path)).mode);
    }
    const place = { dir: top, env };
    await runGit(place, ['read-tree', head]);
    const input = files.map(({ path }) => `${path}\0`).join('');
    const add = [
      '-c',
      'core.safecrlf=false',
      'add',
      '--force',
      '--pathspec-from-file=-',
      '--pathspec-file-nul',
    ];
    await runGit(place, add, { input });
    return (await runGit(place, ['write-tree'])).stdout.trim();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** git writes line ends as it is configured; a file that had others keeps them, and is clean all the same. */
async function keepBytes(repo: Repository, worktree: string, files: FileCommit['files']): Promise<void> {
  const others = files.filter(({ path, bytes }) => {
    const written = readFileSync(join(worktree, path));
    // Whatever else is there now, somebody has just written.
    return !written.equals(bytes) && withoutReturns(written) === withoutReturns(bytes);
  });
  if (others.length === 0) return;
  for (const { path, bytes } of others) writeFileSync(join(worktree, path), bytes);
  // Looked at anew: git takes another size for an edit without reading the file. The blob stays the same.
  const input = others.map(({ path }) => `${path}\0`).join('');
  await runGit(repo, ['-c', 'core.safecrlf=false', 'update-index', '-z', '--stdin'], {
    cwd: worktree,
    input,
  });
}

function withoutReturns(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\r\n', '\n');
}
