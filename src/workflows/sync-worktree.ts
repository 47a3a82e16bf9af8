import { existsSync } from 'node:fs';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { markConflicted, recordHead, type Stream, showStream } from '../contract/streams.ts';
import { recordUndo } from '../contract/undo.ts';
import { isAncestor } from '../git/commits.ts';
import type { MoveResult } from '../git/move-checkout.ts';
import { rebaseCommits } from '../git/rebase.ts';
import { findRef, resolveCommit } from '../git/refs.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { findWorkspace, setSyncedOid } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { type CascadeReport, cascadeStreams } from './cascade-streams.ts';
import { measureFacts, measureStream, standingHead } from './facts.ts';
import { keepHead, keepUpdate } from './kept-heads.ts';
import { moveBranch } from './move-branch.ts';
import { recordHeadOf } from './record-head.ts';
import { isAtHome, requireHome } from './shared/at-home.ts';
import { requireAuthorOrMaintainer } from './stream-rights.ts';
import { bufferTip, type Workflow } from './workflow.ts';

/** True where the branch and its worktree now stand on the buffer's commit; false where an edit stands in the way. */
export async function bringToBuffer(workflow: Workflow, stream: Stream, commit: string): Promise<boolean> {
  // Elsewhere it would look as if somebody had taken the landed commits back to where the author's branch still is.
  if (!(await isAtHome(workflow, stream))) return false;
  const head = await resolveCommit(workflow.git, `refs/heads/${stream.branch}`);
  if (head === undefined || head !== stream.head) return false;
  const moved = await moveBranch(workflow, {
    branch: stream.branch,
    old: head,
    new: commit,
    reason: 'to the buffer',
  });
  if (moved.kind !== 'moved') return false;
  workflow.reach('bring.moved');
  const facts = await measureFacts(workflow, commit, [await bufferTip(workflow)]);
  await workflow.authority.call(recordHead, {
    stream: stream.id,
    facts,
    cause: 'rebased',
    expectHead: stream.head,
  });
  if (findWorkspace(workflow.machine, stream.id)) setSyncedOid(workflow.machine, stream.id, commit);
  return true;
}

export type SyncResult =
  | { kind: 'up_to_date'; head: string }
  | { kind: 'moved'; from: string; to: string; cascade: CascadeReport }
  | { kind: 'conflict'; files: { path: string; kind: string }[] }
  | { kind: 'behind'; reason: string; files: string[] };

/**
 * Brings a stream onto what it builds on now: its parent's head, or the buffer with `onto: 'buffer'`. In memory first;
 * the worktree moves only when nothing that is not committed would be touched.
 */
export async function syncStream(
  workflow: Workflow,
  ref: string,
  options: { onto?: 'buffer' | 'parent'; policy?: 'defer' | 'ours' | 'theirs' } = {},
): Promise<SyncResult> {
  const found = await workflow.authority.call(showStream, { stream: ref });
  await requireAuthorOrMaintainer(workflow, found);
  if (found.state === 'merged' || found.state === 'abandoned') {
    throw new SwarmError(
      'wrong_state',
      `Stream ${found.handle} is ${found.state}: it does not move any more.`,
    );
  }
  await requireHome(workflow, found);
  const stream = await adoptBranch(workflow, found);
  const target = await targetOf(
    workflow,
    stream,
    options.onto ?? (stream.parentStreamId ? 'parent' : 'buffer'),
  );
  const before = await measureStream(workflow, stream);
  if (before.base === target.commit) {
    if (target.parent !== undefined)
      await record(workflow, stream, { head: before.head, forks: [target.commit], parent: target.parent });
    return { kind: 'up_to_date', head: before.head };
  }
  const rebased = await rebaseCommits(workflow.git, {
    from: before.base,
    to: before.head,
    onto: target.commit,
    policy: options.policy ?? 'defer',
  });
  if (rebased.kind === 'conflict') {
    return { kind: 'conflict', files: rebased.files.map(({ path, kind }) => ({ path, kind })) };
  }
  const moved = await moveKeeping(workflow, stream, { old: before.head, new: rebased.head, reason: 'sync' });
  if (moved.kind === 'lost') return { kind: 'behind', reason: 'the branch moved meanwhile', files: [] };
  if (moved.kind === 'behind') return { kind: 'behind', reason: moved.reason, files: moved.files };
  workflow.reach('sync.moved');
  await record(workflow, stream, {
    head: rebased.head,
    forks: [target.commit, await bufferTip(workflow)],
    parent: target.parent,
  });
  const cascade = await cascadeStreams(workflow, {
    id: stream.id,
    oldHead: before.head,
    newHead: rebased.head,
  });
  if (findWorkspace(workflow.machine, stream.id)) setSyncedOid(workflow.machine, stream.id, rebased.head);
  await workflow.authority.call(recordUndo, {
    repoId: workflow.repo.id,
    operation: 'stream.rebase',
    summary: `rebase of ${stream.handle}`,
    data: { streamId: stream.id, from: before.head, to: rebased.head },
  });
  return { kind: 'moved', from: before.head, to: rebased.head, cascade };
}

/**
 * A stream that stayed behind its parent, because somebody was at work in it, follows now that its author has come to
 * a rest: onto the parent, or onto the buffer where the parent has landed as something else. A clash is recorded and left
 * to the author. Answers the stream as it is then; its children have not moved.
 */
export async function followParent(workflow: Workflow, stream: Stream): Promise<Stream> {
  if (!stream.parentStreamId || stream.state === 'conflicted') return stream;
  if (!(await isAtHome(workflow, stream))) return stream;
  const target = await targetOf(workflow, stream, 'parent').catch((error: unknown) => {
    // The parent is written on another machine and has not been pushed: the stream stays behind.
    if (isSwarmError(error, 'unavailable')) return undefined;
    throw error;
  });
  if (!target) return stream;
  const { commit, parent } = target;
  const { base, head } = await measureStream(workflow, stream);
  if (base === commit || head !== stream.head || (await isAncestor(workflow.git, commit, head)))
    return stream;
  // What has landed with its parent is on the buffer already; there it stays where it is.
  if (parent === null && (await isAncestor(workflow.git, base, commit))) return stream;
  const rebased = await rebaseCommits(workflow.git, { from: base, to: head, onto: commit, policy: 'defer' });
  if (rebased.kind === 'conflict') {
    const files = rebased.files.map(({ path, kind }) => ({ path, kind }));
    return workflow.authority.call(markConflicted, {
      stream: stream.id,
      with: 'parent',
      onto: commit,
      files,
    });
  }
  const moved = await moveKeeping(workflow, stream, { old: head, new: rebased.head, reason: 'follow' });
  if (moved.kind !== 'moved') return stream;
  workflow.reach('follow.moved');
  await record(workflow, stream, { head: rebased.head, forks: [commit, await bufferTip(workflow)], parent });
  if (findWorkspace(workflow.machine, stream.id)) setSyncedOid(workflow.machine, stream.id, rebased.head);
  return workflow.authority.call(showStream, { stream: stream.id });
}

/** Moves a stream's branch, with the head it leaves kept under a ref. */
async function moveKeeping(
  workflow: Workflow,
  stream: Stream,
  move: { old: string; new: string; reason: string },
): Promise<MoveResult> {
  const { ref } = keepHead(stream.id, move.old);
  const keep = keepUpdate(stream.id, move.old, await findRef(workflow.git, ref));
  return moveBranch(workflow, { branch: stream.branch, ...move }, keep ? [keep] : []);
}

async function record(
  workflow: Workflow,
  stream: Stream,
  now: { head: string; forks: string[]; parent: null | undefined },
): Promise<void> {
  const facts = await measureFacts(workflow, now.head, now.forks);
  await recordHeadOf(workflow, {
    stream: stream.id,
    facts,
    cause: 'rebased',
    expectHead: stream.head,
    ...(now.parent === undefined ? {} : { parent: now.parent }),
  });
}

/** What to build on; `parent: null` says that the stream has no parent any more. */
async function targetOf(
  workflow: Workflow,
  stream: Stream,
  onto: 'buffer' | 'parent',
): Promise<{ commit: string; parent: null | undefined }> {
  const buffer = await bufferTip(workflow);
  if (onto === 'buffer' || !stream.parentStreamId) {
    return { commit: buffer, parent: stream.parentStreamId ? null : undefined };
  }
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  if (parent.state === 'merged') return { commit: buffer, parent: null };
  return { commit: await standingHead(workflow, parent), parent: undefined };
}

/** True where a worktree exists and holds nothing that is not committed. */
export async function isCleanWorktree(workflow: Workflow, path: string): Promise<boolean> {
  return existsSync(path) && (await worktreeStatus(workflow.git, path)).clean;
}
