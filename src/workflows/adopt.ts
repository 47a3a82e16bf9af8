import { existsSync } from 'node:fs';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { type Facts, type Stream, showStream } from '../contract/streams.ts';
import { addChangeIds } from '../git/adopt.ts';
import { isAncestor } from '../git/commits.ts';
import { findRef, listRefs, resolveCommit, updateRefs } from '../git/refs.ts';
import { inProgress } from '../git/worktree-files.ts';
import { worktreeGitDir } from '../git/worktree-git-dir.ts';
import { findWorkspace } from '../machine/workspaces.ts';
import { forkPoints, measureFacts } from './facts.ts';
import { keepHead, keepUpdate } from './kept-heads.ts';
import { recordHeadOf } from './record-head.ts';
import { isAtHome } from './shared/at-home.ts';
import { bringStream } from './shared/bring-stream.ts';
import { isHere } from './shared/shared-refs.ts';
import type { Workflow } from './workflow.ts';

const TAKES_COMMITS = ['active', 'in_review', 'changes_requested', 'approved', 'queued', 'conflicted'];

/**
 * Takes in what was done on a stream's branch with plain git: new commits are given a Change-Id, a rewritten head is
 * recorded as a rewrite and the old one kept. Answers the stream as it is recorded afterwards. A branch that is gone,
 * or a stream that takes no commits, is left as it is. Of a stream that is written on another machine nothing is ever
 * recorded here: its head is fetched, and where nobody has pushed it yet that is `unavailable`.
 */
export async function adoptBranch(workflow: Workflow, stream: Stream): Promise<Stream> {
  if (!TAKES_COMMITS.includes(stream.state)) return stream;
  const { git } = workflow;
  if (!(await isAtHome(workflow, stream))) {
    await bringStream(workflow, stream);
    return stream;
  }
  const head = await resolveCommit(git, `refs/heads/${stream.branch}`);
  if (head === undefined || head === stream.head) return stream;
  await requireOwnHead(workflow, stream);
  const path = findWorkspace(workflow.machine, stream.id)?.path;
  // In the middle of a rebase the branch is not what its author means yet.
  if (path !== undefined && existsSync(path) && inProgress(worktreeGitDir(path)) !== undefined) return stream;
  const forks = await forkPoints(workflow, stream);
  const withIds = await nameChanges(workflow, stream, head, forks);
  const isExtension = await isAncestor(git, stream.head, withIds);
  if (!isExtension) await keepLeftHead(workflow, stream);
  const facts = await measureFacts(workflow, withIds, forks);
  const cause = isExtension ? 'adopted' : 'rewritten';
  return recordUnlessLanded(workflow, stream, { facts, cause });
}

/** What was committed while the stream was landing came too late: that it landed is what is recorded. */
async function recordUnlessLanded(
  workflow: Workflow,
  stream: Stream,
  found: { facts: Facts; cause: 'adopted' | 'rewritten' },
): Promise<Stream> {
  try {
    return await recordHeadOf(workflow, { stream: stream.id, ...found, expectHead: stream.head });
  } catch (error) {
    if (!isSwarmError(error, 'wrong_state')) throw error;
    const now = await workflow.authority.call(showStream, { stream: stream.id });
    if (TAKES_COMMITS.includes(now.state)) throw error;
    return now;
  }
}

/** What was recorded from here is here. Anything else was recorded where the stream has a second workspace. */
async function requireOwnHead(workflow: Workflow, stream: Stream): Promise<void> {
  if (await isHere(workflow, stream.head)) return;
  throw new SwarmError(
    'conflict',
    `Stream ${stream.handle} went on to ${stream.head.slice(0, 10)} on another machine, and this one has commits of its own.`,
    {
      fix: `gitswarm sync, then put the commits of ${stream.branch} on top of ${stream.head.slice(0, 10)}`,
      details: { head: stream.head },
    },
  );
}

/**
 * Gives commits without one a Change-Id. Their trees stay, so the branch may move under its checkout: files and index
 * are right before and after.
 */
async function nameChanges(
  workflow: Workflow,
  stream: Stream,
  head: string,
  forks: string[],
): Promise<string> {
  const { git } = workflow;
  const [base = head, ...others] = forks;
  const named = await addChangeIds(git, {
    base,
    head,
    notIn: [...others, ...(await publishedHeads(workflow, stream))],
  });
  if (named.head === head) return head;
  const ref = `refs/heads/${stream.branch}`;
  // Kept where it may have been pushed by hand: what is named now may replace it there.
  const kept = keepHead(stream.id, head).ref;
  const keep = workflow.shared && keepUpdate(stream.id, head, await findRef(git, kept));
  const updates = [{ ref, old: head, new: named.head }, ...(keep ? [keep] : [])];
  const moved = await updateRefs(git, updates, 'gitswarm: name changes', { withCheckout: true });
  // Lost: the author committed again just now. What is there is recorded as it is and named the next time.
  return moved.kind === 'moved' ? named.head : ((await findRef(git, ref)) ?? head);
}

/**
 * What the target or a remote has is not rewritten: a stream that merged it in would bring a copy of it. Of what remotes
 * hold, only a stream's own branch is ours to name, because we publish it; of a branch that others made not even that.
 */
async function publishedHeads(workflow: Workflow, stream: Stream): Promise<string[]> {
  const target = `refs/heads/${workflow.repo.promoteTarget}`;
  const refs = await listRefs(workflow.git, [target, 'refs/remotes/']);
  const isOurs = (name: string) => stream.source !== 'tracked' && name.endsWith(`/${stream.branch}`);
  return refs.filter((ref) => ref.type === 'commit' && !isOurs(ref.name)).map((ref) => ref.oid);
}

async function keepLeftHead(workflow: Workflow, stream: Stream): Promise<void> {
  const { ref } = keepHead(stream.id, stream.head);
  const update = keepUpdate(stream.id, stream.head, await findRef(workflow.git, ref));
  if (update) await updateRefs(workflow.git, [update], 'gitswarm: keep rewritten head');
}
