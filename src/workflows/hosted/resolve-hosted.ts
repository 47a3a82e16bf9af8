import { SwarmError } from '../../contract/errors.ts';
import { type ConflictFile, type Stream, showStream } from '../../contract/streams.ts';
import { newChangeId, withTrailers } from '../../git/change-id.ts';
import { writeCommit } from '../../git/commits.ts';
import { hasMarkers } from '../../git/conflict-markers.ts';
import { editTree, type TreeEdit } from '../../git/edit-tree.ts';
import type { Conflict } from '../../git/merge.ts';
import { writeBlob } from '../../git/objects.ts';
import { resolveConflict } from '../../git/resolve-conflict.ts';
import { assertSafePath } from '../../git/safe-path.ts';
import { adoptBranch } from '../adopt.ts';
import { signaturesOf } from '../authorship.ts';
import { type CascadeReport, cascadeStreams } from '../cascade-streams.ts';
import { measureStream } from '../facts.ts';
import { moveBranch } from '../move-branch.ts';
import { recordHeadOf } from '../record-head.ts';
import { requireAuthorOrMaintainer } from '../stream-rights.ts';
import { actorOf, type Workflow } from '../workflow.ts';
import { findConflict } from './conflict-report.ts';

/** What is to become of one conflicted file. */
export type FileDecision =
  | { content: Buffer; mode?: '100644' | '100755' | undefined }
  | { take: 'ours' | 'theirs' | 'delete' };

export interface HostedResolution {
  stream: Stream;
  commit: string;
  cascade: CascadeReport;
}

/**
 * Merges what a stream conflicts with into it, in memory, with a decision for each conflicted file or one for all.
 * A file nobody decided on, or that still holds markers, refuses the whole. `ours` is the stream.
 */
export async function resolveHosted(
  workflow: Workflow,
  request: {
    stream: string;
    files: ReadonlyMap<string, FileDecision>;
    strategy?: 'ours' | 'theirs' | undefined;
  },
): Promise<HostedResolution> {
  for (const path of request.files.keys()) assertSafePath(path);
  const found = await workflow.authority.call(showStream, { stream: request.stream });
  await requireAuthorOrMaintainer(workflow, found);
  const stream = await adoptBranch(workflow, found);
  const { onto, head, conflict, tree: clean } = await findConflict(workflow, stream);
  if (!conflict && stream.state !== 'conflicted')
    throw new SwarmError('wrong_state', `Stream ${stream.handle} conflicts with nothing.`);
  const tree = conflict ? await decidedTree(workflow, conflict, request) : clean;
  if (tree === undefined) throw new SwarmError('internal', 'The merge has no tree.');
  const commit = writeCommit(workflow.git, {
    tree,
    parents: [head, onto],
    message: withTrailers(`Merge ${workflow.repo.bufferBranch} into ${stream.name}\n`, {
      'Change-Id': newChangeId(),
    }),
    ...(await signaturesOf(workflow, actorOf(workflow))),
  });
  const move = { branch: stream.branch, old: head, new: commit, reason: 'resolve' };
  const moved = await moveBranch(workflow, move);
  if (moved.kind !== 'moved')
    throw new SwarmError('busy', `${stream.handle} moved at the same moment.`, { fix: 'Try again.' });
  workflow.reach('hosted.resolved');
  const facts = await measureStream(workflow, stream);
  const recorded = await recordHeadOf(workflow, {
    stream: stream.id,
    facts,
    cause: 'resolved',
    expectHead: stream.head,
  });
  const cascade = await cascadeStreams(workflow, { id: stream.id, oldHead: head, newHead: commit });
  return { stream: recorded, commit, cascade };
}

async function decidedTree(
  workflow: Workflow,
  conflict: Conflict,
  { files, strategy }: { files: ReadonlyMap<string, FileDecision>; strategy?: 'ours' | 'theirs' | undefined },
): Promise<string> {
  refuseUnasked(conflict, files);
  const open = conflict.files.filter((file) => !files.has(file.path));
  if (open.length > 0 && strategy === undefined) throw undecided(open);
  const settled =
    strategy === undefined ? conflict.tree : await resolveConflict(workflow.git, conflict, strategy);
  if (settled === undefined) throw undecided(open);
  const edits: TreeEdit[] = [];
  for (const file of conflict.files) {
    const decision = files.get(file.path);
    if (decision) edits.push({ path: file.path, entry: await entryOf(workflow, file, decision) });
  }
  return editTree(workflow.git, settled, edits);
}

async function entryOf(
  workflow: Workflow,
  file: Conflict['files'][number],
  decision: FileDecision,
): Promise<TreeEdit['entry']> {
  if ('take' in decision) return decision.take === 'delete' ? null : (file[decision.take] ?? null);
  if (hasMarkers(decision.content.toString('utf8')))
    throw new SwarmError('conflict', `${file.path} still holds conflict markers.`, {
      fix: 'Send the file as it is to be.',
      details: { files: [{ path: file.path, kind: file.kind }] },
    });
  const kept = file.ours?.mode === '100755' ? '100755' : '100644';
  return { mode: decision.mode ?? kept, oid: await writeBlob(workflow.git, decision.content) };
}

function refuseUnasked(conflict: Conflict, files: ReadonlyMap<string, FileDecision>): void {
  const unasked = [...files.keys()].filter((path) => !conflict.files.some((file) => file.path === path));
  if (unasked.length === 0) return;
  throw new SwarmError('invalid', `Nothing is to be decided in ${unasked.slice(0, 5).join(', ')}.`, {
    fix: 'Change other files by a commit.',
  });
}

function undecided(files: readonly ConflictFile[]): SwarmError {
  return new SwarmError(
    'conflict',
    `Nothing was decided for ${files
      .map((file) => file.path)
      .slice(0, 5)
      .join(', ')}.`,
    {
      fix: 'Send contents or {"take": "ours" | "theirs" | "delete"} for each file.',
      details: { files: files.map(({ path, kind }) => ({ path, kind })) },
    },
  );
}
