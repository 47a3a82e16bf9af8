import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Facts, Stream } from '../contract/streams.ts';
import { listStreamCommits, showStream } from '../contract/streams.ts';
import { changeIdOf } from '../git/change-id.ts';
import type { CommitRecord } from '../git/commit-record.ts';
import { listCommits, mergeBase } from '../git/commits.ts';
import { measurePatches, type Patch } from '../git/patches.ts';
import { resolveCommit } from '../git/refs.ts';
import { isAtHome } from './shared/at-home.ts';
import { bringStream } from './shared/bring-stream.ts';
import { bufferTip, type Workflow } from './workflow.ts';

/** What git says of a stream's branch now. Throws lost_work where the branch is gone. */
export async function measureStream(workflow: Workflow, stream: Stream): Promise<Facts> {
  const head = await branchHead(workflow, stream);
  const isRecorded = head === stream.head && stream.patchId !== '';
  if (isRecorded && (await isBelieved(workflow, stream))) return recordedFacts(workflow, stream);
  return measureFacts(workflow, head, await forkPoints(workflow, stream));
}

/**
 * What another machine has recorded is measured again: a change that was told under the name of an approved patch loses
 * its approvals here. Where a stream stands on its parent, what it began at is that machine's word in any case.
 */
async function isBelieved(workflow: Workflow, stream: Stream): Promise<boolean> {
  return stream.parentStreamId !== null || isAtHome(workflow, stream);
}

/** What was measured when this head was recorded. Its own change stays the same, wherever the buffer has gone since. */
async function recordedFacts(workflow: Workflow, stream: Stream): Promise<Facts> {
  const { items } = await workflow.authority.call(listStreamCommits, { stream: stream.id });
  return {
    head: stream.head,
    base: stream.baseCommit,
    patchId: stream.patchId,
    paths: stream.paths,
    commits: items,
  };
}

/** The commit at the tip of a stream's branch; the recorded one where that is written on another machine. */
export async function branchHead(workflow: Workflow, stream: Stream): Promise<string> {
  if (!(await isAtHome(workflow, stream))) return bringStream(workflow, stream);
  const head = await resolveCommit(workflow.git, `refs/heads/${stream.branch}`);
  if (head) return head;
  throw new SwarmError('lost_work', `The branch ${stream.branch} of stream ${stream.handle} is gone.`, {
    fix: 'gitswarm doctor --fix brings it back at the last recorded commit',
    details: { lastHead: stream.head },
  });
}

/** The same, and where the branch is gone what was recorded last. */
export async function standingHead(workflow: Workflow, stream: Stream): Promise<string> {
  if (!(await isAtHome(workflow, stream))) return bringStream(workflow, stream);
  return (await resolveCommit(workflow.git, `refs/heads/${stream.branch}`)) ?? stream.head;
}

/** The commits a stream builds on: its parent's head while that has not landed, and the buffer. */
export async function forkPoints(workflow: Workflow, stream: Stream): Promise<string[]> {
  const buffer = await bufferTip(workflow);
  if (!stream.parentStreamId) {
    // A branch that was begun elsewhere may stand on commits of the target that the buffer does not have yet.
    const target =
      stream.source === 'tracked'
        ? await resolveCommit(workflow.git, `refs/heads/${workflow.repo.promoteTarget}`)
        : undefined;
    return target === undefined || target === buffer ? [buffer] : [buffer, target];
  }
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  try {
    // A stream that stayed behind still stands on a head that its parent has rewritten since.
    return [await standingHead(workflow, parent), buffer, stream.baseCommit];
  } catch (error) {
    if (!isSwarmError(error, 'unavailable')) throw error;
    // A head that has not come here is none that the stream could stand on.
    return [stream.baseCommit, buffer];
  }
}

/** Measures a head against what it builds on: its own commits, the whole change as one patch, the touched paths. */
export async function measureFacts(workflow: Workflow, head: string, forks: string[]): Promise<Facts> {
  const { git } = workflow;
  const commits = await listCommits(git, { from: head, notIn: forks });
  const base = await baseOf(workflow, head, commits, forks);
  const { patches, whole } = await measureAll(workflow, commits, { base, head });
  return {
    head,
    base,
    patchId: whole.patchId,
    paths: whole.paths,
    commits: commits.map((commit, i) => ({
      commit: commit.oid,
      changeId: changeIdOf(commit.message) ?? '',
      message: commit.message.slice(0, 10_000),
      author: commit.author.name,
      patchId: patches[i]?.patchId ?? '',
    })),
  };
}

/** The patches of a stream's commits and of all of them together. Of a single commit they are the same. */
async function measureAll(
  { git }: Workflow,
  commits: CommitRecord[],
  whole: { base: string; head: string },
): Promise<{ patches: Patch[]; whole: Patch }> {
  const oids = commits.map((commit) => commit.oid);
  const [only] = commits;
  if (!only) return { patches: [], whole: { patchId: '', paths: [] } };
  const isWhole = commits.length === 1 && only.parents.length === 1 && only.parents[0] === whole.base;
  const measured = await measurePatches(git, oids, isWhole ? undefined : whole);
  return isWhole ? { ...measured, whole: measured.patches[0] ?? measured.whole } : measured;
}

/** Where the own commits begin. A straight line of commits names it; otherwise git is asked. */
async function baseOf(
  workflow: Workflow,
  head: string,
  commits: CommitRecord[],
  forks: string[],
): Promise<string> {
  const first = commits[0];
  if (!first) return head;
  const isLine = commits.every(
    (commit, i) => i === 0 || (commit.parents.length === 1 && commit.parents[0] === commits[i - 1]?.oid),
  );
  const [parent] = first.parents;
  if (isLine && first.parents.length === 1 && parent !== undefined) return parent;
  const base = forks[0] === undefined ? undefined : await mergeBase(workflow.git, head, forks[0]);
  if (base) return base;
  throw new SwarmError(
    'conflict',
    `Commit ${head.slice(0, 10)} shares no history with ${workflow.repo.bufferBranch}.`,
    {
      fix: 'Start again from the buffer: gitswarm workspace create',
    },
  );
}
