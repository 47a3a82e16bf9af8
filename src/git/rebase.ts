import { createHash } from 'node:crypto';
import { withTrailers } from './change-id.ts';
import type { CommitRecord } from './commit-record.ts';
import { isAncestor, listCommits, readCommit, readCommits, writeCommit } from './commits.ts';
import { type Conflict, mergeTrees } from './merge.ts';
import type { ConflictFile } from './merge-tree-output.ts';
import { emptyTree } from './oid.ts';
import type { Signature } from './person.ts';
import type { Repository } from './repository.ts';
import { resolveConflict } from './resolve-conflict.ts';

/** What a conflict does: nothing is decided, or the new base (`ours`) or the commit (`theirs`) wins, as in git rebase. */
export type ConflictPolicy = 'defer' | 'ours' | 'theirs';

export interface Rewrite {
  old: string;
  new: string;
}

export type RebaseInput = {
  onto: string;
  policy: ConflictPolicy;
  /** Default: each commit keeps its committer, so that the same rebase gives the same ids. */
  committer?: Signature;
} & (
  | { commits: readonly string[] }
  /** The commits after `from` up to `to`. `merge` asks for a merge of the new base where a rebase would do. */
  | { from: string; to: string; merge?: boolean }
);

export type RebaseResult =
  | { kind: 'rebased'; head: string; rewritten: Rewrite[]; dropped: string[]; merged: boolean }
  | { kind: 'conflict'; at: string; files: ConflictFile[]; partialHead: string };

/** Puts commits on a new base in memory; author, date, message and Change-Id stay. No ref moves. */
export async function rebaseCommits(repo: Repository, input: RebaseInput): Promise<RebaseResult> {
  const [result] = await rebaseMany(repo, [input]);
  if (!result) throw new Error('a rebase has one result');
  return result;
}

interface Job {
  input: RebaseInput;
  commits: CommitRecord[];
  next: number;
  tip: string;
  rewritten: Rewrite[];
  dropped: string[];
  result: RebaseResult | undefined;
}

/** Several rebases at once: the first pick of each is one batch of merges, then the second of each, and so on. */
export async function rebaseMany(repo: Repository, inputs: readonly RebaseInput[]): Promise<RebaseResult[]> {
  const jobs = await Promise.all(inputs.map((input) => startJob(repo, input)));
  for (let open = jobs; open.length > 0; open = jobs.filter((job) => job.result === undefined)) {
    await pickNext(
      repo,
      open.filter((job) => job.result === undefined),
    );
  }
  return jobs.flatMap((job) => (job.result ? [job.result] : []));
}

async function startJob(repo: Repository, input: RebaseInput): Promise<Job> {
  const commits =
    'commits' in input
      ? await readCommits(repo, input.commits)
      : await listCommits(repo, { from: input.to, notIn: [input.from] });
  const job: Job = {
    input,
    commits,
    next: 0,
    tip: input.onto,
    rewritten: [],
    dropped: [],
    result: undefined,
  };
  const hasMerges = commits.some((commit) => commit.parents.length > 1);
  if ('to' in input && commits.length > 0 && (hasMerges || input.merge)) {
    job.result = await mergeNewBase(repo, input, input.from, input.to);
  }
  return job;
}

/** One step of each job: its next commit is picked, all picks in one batch. */
async function pickNext(repo: Repository, jobs: readonly Job[]): Promise<void> {
  const picks: { job: Job; commit: CommitRecord; base: string }[] = [];
  for (const job of jobs) {
    // Commits that already follow the tip are kept as they are.
    while (job.commits[job.next]?.parents[0] === job.tip) job.tip = job.commits[job.next++]?.oid ?? job.tip;
    const commit = job.commits[job.next++];
    if (commit) picks.push({ job, commit, base: commit.parents[0] ?? rootBase(repo, commit) });
    else job.result = finished(job);
  }
  const queries = picks.map(({ job, commit, base }) => ({
    ours: job.tip,
    theirs: commit.oid,
    mergeBase: base,
  }));
  const answers = await mergeTrees(repo, queries);
  for (const [i, { job, commit, base }] of picks.entries()) {
    const answer = answers[i];
    if (!answer) continue;
    const tree = answer.kind === 'clean' ? answer.tree : await settle(repo, answer, job.input.policy);
    if (tree !== undefined) await land(repo, job, commit, { tree, base });
    else if (answer.kind === 'conflict') job.result = stopped(commit.oid, answer.files, job.tip);
  }
}

async function land(
  repo: Repository,
  job: Job,
  commit: CommitRecord,
  { tree, base }: { tree: string; base: string },
): Promise<void> {
  const tipTree = (await readCommit(repo, job.tip)).tree;
  // A change that is already there vanishes; a commit that was empty from the start was meant to be.
  if (tree === tipTree && commit.tree !== (await readCommit(repo, base)).tree) {
    job.dropped.push(commit.oid);
    return;
  }
  const { author, message } = commit;
  const committer = job.input.committer ?? commit.committer;
  job.tip = writeCommit(repo, { tree, parents: [job.tip], author, committer, message });
  job.rewritten.push({ old: commit.oid, new: job.tip });
}

/** A range with merges in it is never made linear: what the base changed since is merged into its head. */
async function mergeNewBase(
  repo: Repository,
  input: RebaseInput,
  from: string,
  to: string,
): Promise<RebaseResult> {
  const kept: RebaseResult = { kind: 'rebased', head: to, rewritten: [], dropped: [], merged: false };
  const { onto } = input;
  if (from === onto || (await isAncestor(repo, onto, to))) return kept;
  const [answer] = await mergeTrees(repo, [{ ours: to, theirs: onto, mergeBase: from }]);
  if (!answer) return kept;
  // Here our side is the stream, so the sides of the policy are exchanged.
  const tree = answer.kind === 'clean' ? answer.tree : await settle(repo, answer, exchanged(input.policy));
  if (tree === undefined) return stopped(to, answer.kind === 'conflict' ? answer.files : [], to);
  const author = input.committer ?? (await readCommit(repo, to)).committer;
  const changeId = createHash('sha1').update(`${to} ${onto}`).digest('hex');
  const message = withTrailers(`Merge new base ${onto.slice(0, 12)}`, { 'Change-Id': `I${changeId}` });
  const head = writeCommit(repo, { tree, parents: [to, onto], author, message });
  return { ...kept, head, merged: true };
}

async function settle(
  repo: Repository,
  conflict: Conflict,
  policy: ConflictPolicy,
): Promise<string | undefined> {
  return policy === 'defer' ? undefined : resolveConflict(repo, conflict, policy);
}

function exchanged(policy: ConflictPolicy): ConflictPolicy {
  if (policy === 'defer') return policy;
  return policy === 'ours' ? 'theirs' : 'ours';
}

/** The base of a commit without parents is a tree without files. */
function rootBase(repo: Repository, { author }: CommitRecord): string {
  const tree = emptyTree(repo.objectFormat);
  return writeCommit(repo, { tree, parents: [], author, message: 'before the first commit\n' });
}

function finished({ tip, rewritten, dropped }: Job): RebaseResult {
  return { kind: 'rebased', head: tip, rewritten, dropped, merged: false };
}

function stopped(at: string, files: ConflictFile[], partialHead: string): RebaseResult {
  return { kind: 'conflict', at, files, partialHead };
}
