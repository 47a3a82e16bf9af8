import { readCommit, writeCommit } from './commits.ts';
import { type Conflict, mergeTrees } from './merge.ts';
import { emptyTree } from './oid.ts';
import type { Signature } from './person.ts';
import { type RebaseResult, rebaseCommits } from './rebase.ts';
import type { Repository } from './repository.ts';

export interface RevertInput {
  /** The commit the revert goes on. */
  tip: string;
  /** The landing to take back: a merge commit (its first parent stays) or a plain commit. */
  merge: string;
  message: string;
  author: Signature;
  committer?: Signature;
}

export type RevertOutcome =
  | { kind: 'merged'; commit: string; tree: string }
  /** What the landing brought is not there any more. */
  | { kind: 'up_to_date' }
  | Conflict;

/** Takes a landing back in memory, as `git revert -m 1` would. No ref moves. */
export async function revertMerge(repo: Repository, input: RevertInput): Promise<RevertOutcome> {
  const { tip, merge, message, author, committer } = input;
  const landing = await readCommit(repo, merge);
  const before = landing.parents[0] ?? nothing(repo, landing.author);
  const [answer] = await mergeTrees(repo, [{ ours: tip, theirs: before, mergeBase: merge }]);
  if (!answer) return { kind: 'up_to_date' };
  if (answer.kind === 'conflict') return answer;
  if (answer.tree === (await readCommit(repo, tip)).tree) return { kind: 'up_to_date' };
  const commit = writeCommit(repo, {
    tree: answer.tree,
    parents: [tip],
    message,
    author,
    ...(committer && { committer }),
  });
  return { kind: 'merged', commit, tree: answer.tree };
}

export interface ReapplyInput {
  tip: string;
  /** The reverted commits, oldest first. */
  commits: readonly string[];
  committer?: Signature;
}

/**
 * Puts reverted commits on a tip again, with their authors, messages and Change-Ids. They are in the tip's history
 * already, so merging them would bring nothing: each is applied as a change. A merge counts as the change it made.
 */
export function reapply(repo: Repository, { tip, commits, committer }: ReapplyInput): Promise<RebaseResult> {
  return rebaseCommits(repo, { commits, onto: tip, policy: 'defer', ...(committer && { committer }) });
}

/** A commit without files, to go back to when the very first commit is taken back. */
function nothing(repo: Repository, author: Signature): string {
  const tree = emptyTree(repo.objectFormat);
  return writeCommit(repo, { tree, parents: [], author, message: 'before the first commit\n' });
}
