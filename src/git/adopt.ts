import { changeIdOf, newChangeId, withTrailers } from './change-id.ts';
import type { CommitRecord } from './commit-record.ts';
import { listCommits, writeCommit } from './commits.ts';
import type { Rewrite } from './rebase.ts';
import type { Repository } from './repository.ts';

export interface OwnRange {
  base: string;
  head: string;
  /** Commits that others have, too (published, landed): they and their history are not ours. */
  notIn?: readonly string[];
}

/** The commits from base to head that only this branch has, oldest first. */
export function findOwnCommits(
  repo: Repository,
  { base, head, notIn = [] }: OwnRange,
): Promise<CommitRecord[]> {
  return listCommits(repo, { from: head, notIn: [base, ...notIn] });
}

/**
 * Gives every own commit a Change-Id by rewriting the first that lacks one and all after it; trees, authors, dates and
 * merges stay. Of two with the same id the later one is a change of its own. No ref moves.
 */
export async function addChangeIds(
  repo: Repository,
  range: OwnRange,
  { makeId = newChangeId }: { makeId?: () => string } = {},
): Promise<{ head: string; rewritten: Rewrite[] }> {
  const commits = await findOwnCommits(repo, range);
  const moved = new Map<string, string>();
  const seen = new Set<string>();
  for (const commit of commits) {
    const own = changeIdOf(commit.message);
    const fresh = own === undefined || seen.has(own);
    const changeId = fresh ? makeId() : own;
    seen.add(changeId);
    const parents = commit.parents.map((parent) => moved.get(parent) ?? parent);
    if (!fresh && parents.every((parent, i) => parent === commit.parents[i])) continue;
    const { tree, author, committer } = commit;
    const message = fresh ? withTrailers(commit.message, { 'Change-Id': changeId }) : commit.message;
    moved.set(commit.oid, writeCommit(repo, { tree, parents, author, committer, message }));
  }
  const rewritten = [...moved].map(([old, to]) => ({ old, new: to }));
  return { head: moved.get(range.head) ?? range.head, rewritten };
}
