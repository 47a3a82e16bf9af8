import { editStream } from '../../contract/edit-stream.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { ConflictFile, Stream } from '../../contract/streams.ts';
import { changeIdOf, newChangeId, withTrailers } from '../../git/change-id.ts';
import { readCommit, treeOf, writeCommit } from '../../git/commits.ts';
import { changedPaths } from '../../git/diff.ts';
import { mergeTrees } from '../../git/merge.ts';
import { updateRefs } from '../../git/refs.ts';
import { adoptBranch } from '../adopt.ts';
import { signaturesOf } from '../authorship.ts';
import { type CascadeReport, cascadeStreams } from '../cascade-streams.ts';
import { measureStream } from '../facts.ts';
import { type LandingAtOnce, landAtOnce } from '../land-at-once.ts';
import { moveBranch } from '../move-branch.ts';
import { recordHeadOf } from '../record-head.ts';
import { actorOf, type Workflow } from '../workflow.ts';
import { readStaged, stagedRef } from './staged-files.ts';

export type StagedCommit =
  | {
      kind: 'committed';
      commit: string;
      changeId: string | null;
      stream: Stream;
      files: string[];
      cascade: CascadeReport;
      /** In swarm mode: what became of the landing. */
      merge: LandingAtOnce | null;
    }
  | { kind: 'nothing'; stream: Stream }
  /** What was staged clashes with what the stream has become since; all of it stays staged. */
  | { kind: 'conflict'; files: ConflictFile[]; stream: Stream };

/** Commits what was staged for a stream, as its author. Dependants follow; in swarm mode the commit lands at once. */
export async function commitStaged(
  workflow: Workflow,
  request: { stream: string; message: string },
): Promise<StagedCommit> {
  const found = await workflow.authority.call(editStream, { stream: request.stream });
  const before = await adoptBranch(workflow, found);
  const made = await writeStaged(workflow, before, request.message);
  if (typeof made !== 'string') return { kind: 'conflict', files: made.files, stream: before };
  // A commit that was cut off before it was recorded is told by whoever asks again, and goes on as if nothing had been.
  const isAdopted = before.head !== found.head;
  if (made === 'nothing' && !isAdopted) return { kind: 'nothing', stream: before };
  const stream = made === 'nothing' ? before : await recordCommit(workflow, before);
  const cascade = await cascadeStreams(workflow, {
    id: stream.id,
    oldHead: found.head,
    newHead: stream.head,
  });
  const merge = workflow.repo.mergeMode === 'swarm' ? await landAtOnce(workflow, stream) : null;
  return {
    kind: 'committed',
    commit: stream.head,
    changeId: changeIdOf((await readCommit(workflow.git, stream.head)).message) ?? null,
    stream,
    files: await pathsBetween(workflow, found.head, stream.head),
    cascade,
    merge,
  };
}

/** Makes the commit and moves the branch; what was staged is consumed with the same move. */
async function writeStaged(
  workflow: Workflow,
  before: Stream,
  message: string,
): Promise<'committed' | 'nothing' | { files: ConflictFile[] }> {
  const { git } = workflow;
  const staged = await readStaged(workflow, before);
  if (staged.commit === staged.head) return 'nothing';
  const tree = await onHead(workflow, before.head, staged);
  if (typeof tree !== 'string') return tree;
  const staging = { ref: stagedRef(before.id), old: staged.commit, new: null };
  if (tree === (await treeOf(git, before.head))) {
    await updateRefs(git, [staging], 'gitswarm: commit');
    return 'nothing';
  }
  const commit = writeCommit(git, {
    tree,
    parents: [before.head],
    message: withTrailers(message, { 'Change-Id': newChangeId() }),
    ...(await signaturesOf(workflow, actorOf(workflow))),
  });
  workflow.reach('staged.written');
  const move = { branch: before.branch, old: before.head, new: commit, reason: 'commit' };
  const moved = await moveBranch(workflow, move, [staging]);
  if (moved.kind !== 'moved')
    throw new SwarmError('busy', `${before.handle} moved at the same moment; what was staged is kept.`, {
      fix: 'Try again.',
    });
  workflow.reach('staged.committed');
  return 'committed';
}

async function recordCommit(workflow: Workflow, before: Stream): Promise<Stream> {
  const facts = await measureStream(workflow, before);
  return recordHeadOf(workflow, { stream: before.id, facts, cause: 'commit', expectHead: before.head });
}

async function pathsBetween({ git }: Workflow, from: string, to: string): Promise<string[]> {
  const changes = await changedPaths(git, await treeOf(git, from), await treeOf(git, to));
  return changes.map((each) => each.path);
}

/** What was staged, on the head of now: merged in memory where the stream has been rebased meanwhile. */
async function onHead(
  { git }: Workflow,
  head: string,
  staged: { commit: string; head: string; tree: string },
): Promise<string | { files: ConflictFile[] }> {
  if (staged.head === head) return staged.tree;
  const [answer] = await mergeTrees(git, [{ ours: head, theirs: staged.commit, mergeBase: staged.head }]);
  if (answer?.kind === 'clean') return answer.tree;
  return { files: (answer?.files ?? []).map(({ path, kind }) => ({ path, kind })) };
}
