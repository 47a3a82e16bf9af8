import type { CommitRecord, NewCommit } from './commit-record.ts';
import { formatCommit } from './commit-record.ts';
import { writeObject } from './loose-objects.ts';
import { assertOid } from './oid.ts';
import type { Signature } from './person.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** A commit by its id; throws not_found. */
export function readCommit(repo: Repository, oid: string): Promise<CommitRecord> {
  assertOid(oid);
  return repo.objects.commit(oid);
}

/** Commits by their ids, in the same order. */
export function readCommits(repo: Repository, oids: readonly string[]): Promise<CommitRecord[]> {
  return Promise.all(oids.map((oid) => readCommit(repo, oid)));
}

/** The commits reachable from one and from none of the others, parents before children, oldest first. */
export async function listCommits(
  repo: Repository,
  { from, notIn }: { from: string; notIn: readonly string[] },
): Promise<CommitRecord[]> {
  const [only] = notIn;
  const short = notIn.length === 1 && only !== undefined ? await linearRange(repo, only, from) : undefined;
  if (short) return short;
  for (const oid of [from, ...notIn]) assertOid(oid);
  const range = [from, ...notIn.map((oid) => `^${oid}`)];
  const question = ['rev-list', '--topo-order', '--reverse'];
  const { stdout } =
    range.length <= FEW
      ? await runGit(repo, [...question, ...range, '--'])
      : await runGit(repo, [...question, '--stdin'], { input: range.map((line) => `${line}\n`).join('') });
  return readCommits(repo, stdout.split('\n').filter(Boolean));
}

/** As many ids fit into the arguments of a process everywhere. */
const FEW = 100;

/** How many commits we are willing to walk ourselves before a process is cheaper. */
const SHORT = 64;

/** The commits after `base` up to `head` where each has one parent; undefined when it is not so simple. */
async function linearRange(
  repo: Repository,
  base: string,
  head: string,
): Promise<CommitRecord[] | undefined> {
  const commits: CommitRecord[] = [];
  for (let at = head; at !== base; ) {
    const commit = await readCommit(repo, at);
    const [parent] = commit.parents;
    if (parent === undefined || commit.parents.length > 1 || commits.length === SHORT) return undefined;
    commits.unshift(commit);
    at = parent;
  }
  return commits;
}

export interface CommitInput {
  tree: string;
  parents: readonly string[];
  message: string;
  author: Signature;
  /** Default: the author. */
  committer?: Signature;
}

/** Writes a commit object and returns its id. No ref moves. */
export function writeCommit(repo: Repository, input: CommitInput): string {
  assertOid(input.tree);
  for (const parent of input.parents) assertOid(parent);
  const commit: NewCommit = { ...input, committer: input.committer ?? input.author };
  return writeObject(repo, 'commit', formatCommit(commit));
}

/** The tree of a commit. */
export async function treeOf(repo: Repository, commit: string): Promise<string> {
  return (await readCommit(repo, commit)).tree;
}

/** True when `ancestor` is `descendant` or in its history. */
export async function isAncestor(repo: Repository, ancestor: string, descendant: string): Promise<boolean> {
  assertOid(ancestor);
  assertOid(descendant);
  if (ancestor === descendant) return true;
  // A branch that moves on keeps what it had: usually only the newest commits have to be looked at.
  const last = repo.ancestry.get(ancestor);
  const isFound =
    last === descendant ||
    (last !== undefined && (await isNearAncestor(repo, last, descendant))) ||
    (await isNearAncestor(repo, ancestor, descendant)) ||
    (await askAncestor(repo, ancestor, descendant));
  if (isFound) rememberDescendant(repo, ancestor, descendant);
  return isFound;
}

async function askAncestor(repo: Repository, ancestor: string, descendant: string): Promise<boolean> {
  const { code } = await runGit(repo, ['merge-base', '--is-ancestor', ancestor, descendant], {
    okExits: [0, 1],
  });
  return code === 0;
}

const KEPT_DESCENDANTS = 256;

function rememberDescendant(repo: Repository, ancestor: string, descendant: string): void {
  if (repo.ancestry.size >= KEPT_DESCENDANTS) repo.ancestry.clear();
  repo.ancestry.set(ancestor, descendant);
}

/** How far back a first look goes; what is asked most often is a handful of landings away. */
const NEAR = 48;

/** A cheap first look along all parents of the nearest commits; only a yes is an answer. */
async function isNearAncestor(repo: Repository, ancestor: string, descendant: string): Promise<boolean> {
  const seen = new Set([descendant]);
  let level = [descendant];
  while (level.length > 0 && seen.size < NEAR) {
    const commits = await readCommits(repo, level);
    level = [];
    for (const parent of commits.flatMap((commit) => commit.parents)) {
      if (parent === ancestor) return true;
      if (!seen.has(parent)) level.push(parent);
      seen.add(parent);
    }
  }
  return false;
}

/** The best common ancestor of two commits, or undefined when their histories have nothing in common. */
export async function mergeBase(repo: Repository, a: string, b: string): Promise<string | undefined> {
  assertOid(a);
  assertOid(b);
  const { stdout } = await runGit(repo, ['merge-base', a, b], { okExits: [0, 1] });
  const base = stdout.trim();
  return base === '' ? undefined : base;
}

/** How many commits `a` has that `b` has not, and the other way round. */
export async function aheadBehind(
  repo: Repository,
  a: string,
  b: string,
): Promise<{ ahead: number; behind: number }> {
  assertOid(a);
  assertOid(b);
  if (a === b) return { ahead: 0, behind: 0 };
  const { stdout } = await runGit(repo, ['rev-list', '--left-right', '--count', `${a}...${b}`]);
  const [ahead, behind] = stdout.trim().split('\t').map(Number);
  return { ahead: ahead ?? 0, behind: behind ?? 0 };
}
