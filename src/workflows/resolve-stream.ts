import { SwarmError } from '../contract/errors.ts';
import type { ConflictFile, Stream } from '../contract/streams.ts';
import { recordUndo } from '../contract/undo.ts';
import { findMarkers } from '../git/conflict-markers.ts';
import { type Before, findBefore } from '../git/set-aside.ts';
import { settleFiles, unmergedFiles } from '../git/unmerged-files.ts';
import { type CommitResult, commitStream } from './commit-stream.ts';
import { mergeIntoWorktree } from './merge-into-worktree.ts';
import { goBack, resolutionPlace, saveForResolution } from './resolution-place.ts';
import type { Workflow } from './workflow.ts';

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
  const place = await resolutionPlace(workflow, request.stream);
  const { stream, path } = place;
  const isMerging = place.before !== undefined && place.status.inProgress === 'merge';
  const before = isMerging ? place.before : await mergeIntoWorktree(workflow, place);
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
  if (request.side) await settle(workflow, { stream, path, before, isNew: !isMerging }, request);
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
  const { stream, path, status } = await resolutionPlace(workflow, ref);
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
  const { stream, path, before } = await resolutionPlace(workflow, ref);
  if (!before) throw nothingBegun(stream);
  const kept = await goBack(workflow, { stream, path, before }, 'before aborting a resolution');
  return { kind: 'aborted', stream, path, kept };
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
  if (!isNew) await saveForResolution(workflow, { stream, path }, `before taking ${side}`);
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
