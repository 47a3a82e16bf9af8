import { existsSync } from 'node:fs';
import { SwarmError } from '../contract/errors.ts';
import { type ConflictFile, type Stream, showStream } from '../contract/streams.ts';
import { recordUndo } from '../contract/undo.ts';
import { findMarkers } from '../git/conflict-markers.ts';
import { committerEnv } from '../git/person.ts';
import { resolveCommit } from '../git/refs.ts';
import { runGit } from '../git/run-git.ts';
import { type Before, bringBack, findBefore, forgetBefore, setAside } from '../git/set-aside.ts';
import { SNAPSHOTS } from '../git/snapshot.ts';
import { settleFiles, unmergedFiles } from '../git/unmerged-files.ts';
import { type WorktreeStatus, worktreeStatus } from '../git/worktree-files.ts';
import { findWorkspace } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { committerOf } from './authorship.ts';
import { type CommitResult, commitStream } from './commit-stream.ts';
import { takeSnapshot } from './destroy-workspace.ts';
import { requireAuthorOrMaintainer } from './stream-rights.ts';
import { bufferTip, type Workflow } from './workflow.ts';

export interface ResolveRequest {
  stream: string;
  /** Decides conflicts: `ours` is the stream. */
  side?: 'ours' | 'theirs' | undefined;
  /** Only in these files and folders, relative to the top of the worktree. */
  paths?: string[] | undefined;
}

export type Resolution =
  | {
      kind: 'open';
      stream: Stream;
      path: string;
      onto: string;
      files: ConflictFile[];
      setAside: string | null;
    }
  | ({ kind: 'resolved'; path: string } & CommitResult)
  | { kind: 'aborted'; stream: Stream; path: string; kept: string | null };

/**
 * Merges what a stream conflicts with into its worktree and leaves git's markers and unmerged entries there, or goes on
 * with a merge begun so. What was not committed is set aside under a snapshot until the merge is over.
 */
export async function resolveStream(workflow: Workflow, request: ResolveRequest): Promise<Resolution> {
  const place = await placeOf(workflow, request.stream);
  const { stream, path } = place;
  const before = place.before ?? (await begin(workflow, place));
  if (before === undefined) {
    throw new SwarmError(
      'wrong_state',
      `Stream ${stream.handle} has everything already that it builds on: nothing conflicts.`,
      {
        fix:
          stream.state === 'conflicted'
            ? `gitswarm commit --stream ${stream.handle} --allow-empty -m "…"`
            : `gitswarm merge ${stream.handle}`,
      },
    );
  }
  if (request.side)
    await settle(workflow, { stream, path, before, isNew: place.before === undefined }, request);
  const files = await unmergedFiles(workflow.git, path);
  return {
    kind: 'open',
    stream,
    path,
    onto: before.onto,
    files: files.map(shown),
    setAside: before.snapshot?.ref ?? null,
  };
}

/** Commits a merge in which nothing is left to decide, as `commit` does, and gives back what was set aside. */
export async function continueResolution(workflow: Workflow, ref: string): Promise<Resolution> {
  const { stream, path, status } = await placeOf(workflow, ref);
  if (status.inProgress !== 'merge') throw nothingBegun(stream);
  const unmerged = await unmergedFiles(workflow.git, path);
  const changed = [...status.staged, ...status.unstaged, ...status.unmerged, ...status.untracked];
  const marked = await findMarkers(workflow.git, path, [...new Set(changed)].sort(), status.head);
  if (marked.length > 0 || unmerged.length > 0) {
    const files = [...new Set([...marked, ...unmerged.map((file) => file.path)])].sort();
    const what =
      marked.length > 0 ? 'still hold conflict markers or are not decided' : 'are not marked as decided';
    throw new SwarmError('conflict', `These files ${what}: ${files.join(', ')}`, {
      fix: `edit them, then git add them, or gitswarm stream resolve ${stream.handle} --ours|--theirs <path>`,
      details: { files, markers: marked },
    });
  }
  const onto = findBefore(path)?.onto.slice(0, 10) ?? workflow.repo.bufferBranch;
  const message = `Merge ${onto} into ${stream.name}`;
  const result = await commitStream(workflow, { stream: stream.id, message, resolves: true });
  await workflow.authority.call(recordUndo, {
    repoId: workflow.repo.id,
    operation: 'stream.resolve',
    summary: `resolution of ${stream.handle}`,
    data: { streamId: stream.id, from: stream.head, to: result.commit ?? stream.head },
  });
  return { kind: 'resolved', path, ...result };
}

/** Puts the worktree back as it was before; what was done in between is kept under a snapshot. */
export async function abortResolution(workflow: Workflow, ref: string): Promise<Resolution> {
  const { stream, path, before } = await placeOf(workflow, ref);
  if (!before) throw nothingBegun(stream);
  const kept = await takeSnapshot(workflow, stream, path, 'before aborting a resolution', RESOLVE);
  await bringBack(workflow.git, path, before, kept?.commit ?? null);
  return { kind: 'aborted', stream, path, kept: kept?.ref ?? null };
}

/** Apart from those of destroyed workspaces: restoring one must not bring back half of a merge. */
const RESOLVE = `${SNAPSHOTS}resolve/`;
const OPEN = ['active', 'in_review', 'changes_requested', 'approved', 'queued', 'conflicted'];

interface Place {
  stream: Stream;
  path: string;
  status: WorktreeStatus;
  /** Of a resolution that is going on. */
  before: Before | undefined;
}

/** The stream's worktree, on its branch, and somebody who may work there. */
async function placeOf(workflow: Workflow, ref: string): Promise<Place> {
  const found = await workflow.authority.call(showStream, { stream: ref });
  await requireAuthorOrMaintainer(workflow, found);
  if (!OPEN.includes(found.state)) {
    const fix = found.state === 'paused' ? `gitswarm stream resume ${found.handle}` : undefined;
    throw new SwarmError(
      'wrong_state',
      `Stream ${found.handle} is ${found.state}: there is nothing to resolve.`,
      { fix },
    );
  }
  const path = findWorkspace(workflow.machine, found.id)?.path;
  if (path === undefined || !existsSync(path)) {
    throw new SwarmError('not_found', `Stream ${found.handle} has no workspace to resolve it in.`, {
      fix: `gitswarm workspace restore ${found.handle}`,
    });
  }
  const stream = await adoptBranch(workflow, found);
  const status = await worktreeStatus(workflow.git, path);
  if (status.branch !== stream.branch) {
    throw new SwarmError(
      'wrong_branch',
      `${path} is on ${status.branch ?? 'a detached HEAD'}, not on ${stream.branch}.`,
      {
        fix: `git -C ${path} switch ${stream.branch}`,
      },
    );
  }
  const before = findBefore(path);
  // A merge that was committed or given up with plain git is over, and so is its note.
  if (before && before.head !== status.head && status.inProgress === undefined) forgetBefore(path);
  else if (before) return { stream, path, status, before };
  return { stream, path, status, before: undefined };
}

/** Undefined where nothing is to be merged. A merge that git cannot begin leaves everything as it was. */
async function begin(workflow: Workflow, { stream, path, status }: Place): Promise<Before | undefined> {
  if (status.inProgress !== undefined || status.head === undefined) {
    throw new SwarmError(
      'wrong_state',
      `A ${status.inProgress ?? 'first commit'} was begun in ${path} and is not finished.`,
      {
        fix:
          status.inProgress === 'merge'
            ? `gitswarm stream resolve ${stream.handle} --continue`
            : `git -C ${path} status`,
      },
    );
  }
  if (status.indexLocked)
    throw new SwarmError('busy', `Another git is at work in ${path}.`, { fix: 'Try again.' });
  const onto = await ontoOf(workflow, stream);
  const ancestor = await runGit(workflow.git, ['merge-base', '--is-ancestor', onto, status.head], {
    okExits: [0, 1],
  });
  if (ancestor.code === 0) return undefined;
  const snapshot = await takeSnapshot(workflow, stream, path, 'before resolving', RESOLVE);
  const before = { head: status.head, onto, snapshot };
  workflow.reach('resolve.saved');
  await setAside(workflow.git, path, before).catch((error: unknown) => {
    forgetBefore(path);
    throw error;
  });
  workflow.reach('resolve.set_aside');
  try {
    const args = [
      'merge',
      '--no-commit',
      '--no-ff',
      '--no-edit',
      '--no-stat',
      '--quiet',
      '--no-autostash',
      '--',
      onto,
    ];
    await runGit(workflow.git, args, {
      cwd: path,
      okExits: [0, 1],
      env: committerEnv(await committerOf(workflow)),
    });
  } catch (error) {
    const now = await takeSnapshot(workflow, stream, path, 'after a merge that failed', RESOLVE);
    await bringBack(workflow.git, path, before, now?.commit ?? null);
    throw error;
  }
  return before;
}

/** The newest state of what it clashed with: what is resolved against an older one would clash again. */
async function ontoOf(workflow: Workflow, stream: Stream): Promise<string> {
  if (stream.conflict?.with === 'stream') return stream.conflict.onto;
  if (stream.conflict?.with === 'buffer' || !stream.parentStreamId) return bufferTip(workflow);
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  if (parent.state === 'merged') return bufferTip(workflow);
  return (await resolveCommit(workflow.git, `refs/heads/${parent.branch}`)) ?? parent.head;
}

async function settle(
  workflow: Workflow,
  place: { stream: Stream; path: string; before: Before; isNew: boolean },
  { side = 'ours', paths }: ResolveRequest,
): Promise<void> {
  const { stream, path, before, isNew } = place;
  const open = await unmergedFiles(workflow.git, path);
  const files = paths ? open.filter((file) => paths.some((wanted) => isIn(file.path, wanted))) : open;
  const missed = (paths ?? []).filter((wanted) => !open.some((file) => isIn(file.path, wanted)));
  if (missed.length > 0) {
    throw new SwarmError('not_found', `Nothing is left to decide in ${missed.join(', ')}.`, {
      fix:
        open.length > 0
          ? `still open: ${open.map((file) => file.path).join(', ')}`
          : `gitswarm stream resolve ${stream.handle} --continue`,
    });
  }
  // What somebody has begun to edit by hand is about to be overwritten.
  if (!isNew) await takeSnapshot(workflow, stream, path, `before taking ${side}`, RESOLVE);
  await settleFiles(workflow.git, path, { files, side, head: before.head });
}

function isIn(path: string, wanted: string): boolean {
  return wanted === '' || path === wanted || path.startsWith(`${wanted}/`);
}

function shown({ path, kind }: ConflictFile): ConflictFile {
  return { path, kind };
}

function nothingBegun(stream: Stream): SwarmError {
  return new SwarmError('wrong_state', `No resolution of ${stream.handle} is going on.`, {
    fix: `gitswarm stream resolve ${stream.handle}`,
  });
}
