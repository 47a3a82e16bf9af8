import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { readCommit, writeCommit } from './commits.ts';
import { headOf } from './head.ts';
import { mergeTrees } from './merge.ts';
import { emptyTree } from './oid.ts';
import type { Signature } from './person.ts';
import { findRef, updateRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { widenWorktree } from './sparse.ts';
import { worktreeStatus } from './worktree-files.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export interface SnapshotInput {
  /** Where to keep it, under `refs/gitswarm/snapshots/`. Must not exist yet. */
  ref: string;
  message: string;
  author: Signature;
}

export const SNAPSHOTS = 'refs/gitswarm/snapshots/';

/**
 * Saves everything in a worktree that git does not ignore, untracked files included, as a commit under a ref. Index
 * and files stay as they are. What was staged and edited again since is kept as a second parent. Returns the commit,
 * or undefined when there is nothing that HEAD does not have.
 */
export async function snapshotWorktree(
  repo: Repository,
  worktree: string,
  { ref, message, author }: SnapshotInput,
): Promise<string | undefined> {
  if (!ref.startsWith(SNAPSHOTS)) throw new SwarmError('invalid', `A snapshot is kept under ${SNAPSHOTS}`);
  const head = await headOf(repo, worktree);
  const headOid = head.kind === 'unborn' ? undefined : head.oid;
  const headTree = headOid ? (await readCommit(repo, headOid)).tree : emptyTree(repo.objectFormat);
  const { staged, everything } = await writeTrees(repo, resolve(worktree));
  if (everything === headTree && (staged === undefined || staged === headTree)) return undefined;
  const parents = headOid ? [headOid] : [];
  const twice = staged !== undefined && staged !== headTree && staged !== everything;
  const index = twice ? [writeCommit(repo, { tree: staged, parents, author, message: 'staged\n' })] : [];
  const tree = everything;
  const commit = writeCommit(repo, { tree, parents: [...parents, ...index], author, message });
  const result = await updateRefs(repo, [{ ref, old: null, new: commit }], 'gitswarm: snapshot');
  if (result.kind === 'moved' || (await findRef(repo, ref)) === commit) return commit;
  throw new SwarmError('already_exists', `There is a snapshot at ${ref} already`, { details: { ref } });
}

/** The tree of all files in a worktree that git does not ignore; the index stays as it is, or missing. */
export async function treeOfFiles(repo: Repository, worktree: string): Promise<string> {
  return (await writeTrees(repo, resolve(worktree))).everything;
}

export type RestoreResult =
  | { kind: 'restored' }
  /** HEAD has moved on and the two do not fit. */
  | { kind: 'conflict'; files: string[] }
  /** The worktree has work of its own that would be overwritten. */
  | { kind: 'dirty'; files: string[] };

/** Brings the files of a snapshot back as changes that are not committed, on top of whatever HEAD is now. */
export async function restoreSnapshot(
  repo: Repository,
  worktree: string,
  { snapshot }: { snapshot: string },
): Promise<RestoreResult> {
  const status = await worktreeStatus(repo, worktree);
  const dirty = [...status.staged, ...status.unstaged, ...status.untracked, ...status.unmerged];
  if (dirty.length > 0 || status.inProgress) return { kind: 'dirty', files: dirty };
  const saved = await readCommit(repo, snapshot);
  await widenWorktree(repo, worktree);
  const place = { dir: resolve(worktree), env: repo.env };
  if (status.head === undefined) {
    await runGit(place, ['read-tree', '-m', '-u', saved.tree]);
    await runGit(place, ['read-tree', '--empty']);
    return { kind: 'restored' };
  }
  const base = saved.parents[0];
  const query = { ours: status.head, theirs: snapshot, ...(base && { mergeBase: base }) };
  const [answer] = base === undefined ? [] : await mergeTrees(repo, [query]);
  if (answer?.kind === 'conflict') return { kind: 'conflict', files: answer.files.map(({ path }) => path) };
  await runGit(place, ['update-index', '-q', '--refresh'], { okExits: [0, 1] });
  await runGit(place, ['read-tree', '-m', '-u', status.head, answer?.tree ?? saved.tree]);
  await runGit(place, ['reset', '-q']);
  return { kind: 'restored' };
}

/** The tree of the index (undefined while it has unmerged files) and the tree of all files, on a copy of the index. */
async function writeTrees(
  repo: Repository,
  worktree: string,
): Promise<{ staged?: string; everything: string }> {
  const gitDir = worktreeGitDir(worktree);
  const directory = mkdtempSync(join(gitDir, 'gitswarm-snapshot-'));
  const index = join(directory, 'index');
  const place = { dir: worktree, env: { ...repo.env, GIT_INDEX_FILE: index } };
  try {
    copyIndex(join(gitDir, 'index'), index);
    const staged = await runGit(place, ['write-tree'], { okExits: [0, 128] });
    await runGit(place, ['add', '--all', '--sparse', '--', '.']);
    const everything = (await runGit(place, ['write-tree'])).stdout.trim();
    return { everything, ...(staged.code === 0 ? { staged: staged.stdout.trim() } : {}) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A copy would look younger than the edits made since; git then takes an edit of the same second for none. */
function copyIndex(from: string, to: string): void {
  if (!existsSync(from)) return;
  copyFileSync(from, to);
  const seconds = Math.floor(statSync(from).mtimeMs / 1000) - 1;
  utimesSync(to, seconds, seconds);
}
