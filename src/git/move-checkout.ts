import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { isAncestor } from './commits.ts';
import { changedPaths } from './diff.ts';
import { headRef } from './head.ts';
import { type PreparedRefs, prepareRefs } from './prepare-refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { inProgress, worktreeStatus } from './worktree-files.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export interface CheckoutMove {
  worktree: string;
  ref: string;
  old: string;
  new: string;
}

export type MoveResult =
  | { kind: 'moved' }
  /** Nothing has changed: why, and which files stand in the way. */
  | { kind: 'behind'; reason: BehindReason; files: string[] }
  /** The ref is not at `old` any more. */
  | { kind: 'lost'; message: string };

export type BehindReason = 'other_branch' | 'in_progress' | 'index_locked' | 'local_changes';

/**
 * Moves a ref together with the checkout that stands on it: lock the ref, look again, move index and files, move the
 * ref. A ref that moved without its checkout would make the next commit there undo the work of others. Local edits
 * that do not overlap are kept; ones that do make it `behind`. The caller knows that nobody is at work there.
 */
export async function moveCheckout(repo: Repository, move: CheckoutMove): Promise<MoveResult> {
  const update = { ref: move.ref, old: move.old, new: move.new };
  const prepared = await prepareRefs(repo, [update], 'gitswarm: move checkout', { withCheckout: true });
  if (prepared.kind === 'lost') return prepared;
  try {
    const obstacle = await findObstacle(repo, move);
    if (obstacle) return await giveUp(prepared, obstacle);
    const moved = await moveFiles(repo, move);
    if (!moved) return await giveUp(prepared, await overlap(repo, move));
  } catch (error) {
    await prepared.abort();
    throw error;
  }
  await prepared.commit();
  return { kind: 'moved' };
}

/** Like `git merge --ff-only` in the checkout of a branch, a person's own included. Refuses what is no fast-forward. */
export async function fastForwardCheckedOut(repo: Repository, move: CheckoutMove): Promise<MoveResult> {
  if (!(await isAncestor(repo, move.old, move.new))) {
    throw new SwarmError(
      'invalid',
      `${move.new} does not follow ${move.old}, so ${move.ref} cannot move there`,
    );
  }
  return moveCheckout(repo, move);
}

/** What keeps a checkout from moving now, if anything does; nothing is moved. */
export async function obstacleTo(repo: Repository, move: CheckoutMove): Promise<MoveResult | undefined> {
  const obstacle = await findObstacle(repo, move);
  if (obstacle) return obstacle;
  return (await moveFiles(repo, move, ['-n'])) ? undefined : overlap(repo, move);
}

async function findObstacle(repo: Repository, { worktree, ref }: CheckoutMove) {
  const gitDir = worktreeGitDir(worktree);
  const obstacle = (reason: BehindReason): MoveResult => ({ kind: 'behind', reason, files: [] });
  if (inProgress(gitDir) !== undefined) return obstacle('in_progress');
  if ((await headRef(repo, worktree)) !== ref) return obstacle('other_branch');
  if (existsSync(join(gitDir, 'index.lock'))) return obstacle('index_locked');
  return undefined;
}

/** True when index and files are at the new commit. git moves all of them or, when one stands in the way, none. */
async function moveFiles(
  repo: Repository,
  move: CheckoutMove,
  more: readonly string[] = [],
): Promise<boolean> {
  const place = { dir: move.worktree, env: repo.env };
  // Without this, a file that was only touched would count as edited.
  await runGit(place, ['update-index', '-q', '--refresh'], { okExits: [0, 1, 128] });
  const args = ['read-tree', '-m', '-u', ...more, move.old, move.new];
  const { code } = await runGit(place, args, { okExits: [0, 128] });
  return code === 0;
}

async function overlap(repo: Repository, { worktree, old, new: to }: CheckoutMove): Promise<MoveResult> {
  const [status, changed] = await Promise.all([worktreeStatus(repo, worktree), changedPaths(repo, old, to)]);
  if (status.indexLocked) return { kind: 'behind', reason: 'index_locked', files: [] };
  const touched = changed.map(({ path }) => path);
  const local = new Set([...status.staged, ...status.unstaged, ...status.untracked, ...status.unmerged]);
  const files = [...local].filter((path) => touched.some((other) => overlaps(path, other))).sort();
  return { kind: 'behind', reason: 'local_changes', files };
}

/** A file is also in the way of a directory of its name, and of what would be inside. */
function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

async function giveUp(prepared: PreparedRefs, result: MoveResult): Promise<MoveResult> {
  await prepared.abort();
  return result;
}
