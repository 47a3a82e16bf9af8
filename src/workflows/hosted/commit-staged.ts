import { editStream } from '../../contract/edit-stream.ts';
import { SwarmError } from '../../contract/errors.ts';
import { type ConflictFile, recordHead, type Stream } from '../../contract/streams.ts';
import { newChangeId, withTrailers } from '../../git/change-id.ts';
import { treeOf, writeCommit } from '../../git/commits.ts';
import { changedPaths } from '../../git/diff.ts';
import { mergeTrees } from '../../git/merge.ts';
import { updateRefs } from '../../git/refs.ts';
import { adoptBranch } from '../adopt.ts';
import { signaturesOf } from '../authorship.ts';
import { type CascadeReport, cascadeStreams } from '../cascade-streams.ts';
import { measureStream } from '../facts.ts';
import { type MergeResult, mergeStream } from '../merge-stream.ts';
import { moveBranch } from '../move-branch.ts';
import { actorOf, type Workflow } from '../workflow.ts';
import { readStaged, stagedRef } from './staged-files.ts';

export type StagedCommit =
  | {
      kind: 'committed';
      commit: string;
      changeId: string;
      stream: Stream;
      files: string[];
      cascade: CascadeReport;
      /** In swarm mode: what became of the landing. */
      merge: MergeResult | null;
    }
  | { kind: 'nothing'; stream: Stream }
  /** What was staged clashes with what the stream has become since; all of it stays staged. */
  | { kind: 'conflict'; files: ConflictFile[]; stream: Stream };

/** Commits what was staged for a stream, as its author. Dependants follow; in swarm mode the commit lands at once. */
export async function commitStaged(
  workflow: Workflow,
  request: { stream: string; message: string },
): Promise<StagedCommit> {
  const { git } = workflow;
  const found = await workflow.authority.call(editStream, { stream: request.stream });
  const before = await adoptBranch(workflow, found);
  const staged = await readStaged(workflow, before);
  if (staged.commit === staged.head) return { kind: 'nothing', stream: before };
  const tree = await onHead(workflow, before.head, staged);
  if (typeof tree !== 'string') return { kind: 'conflict', files: tree.files, stream: before };
  const files = (await changedPaths(git, await treeOf(git, before.head), tree)).map((each) => each.path);
  const staging = { ref: stagedRef(before.id), old: staged.commit, new: null };
  if (files.length === 0) {
    await updateRefs(git, [staging], 'gitswarm: commit');
    return { kind: 'nothing', stream: before };
  }
  const changeId = newChangeId();
  const commit = writeCommit(git, {
    tree,
    parents: [before.head],
    message: withTrailers(request.message, { 'Change-Id': changeId }),
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
  const facts = await measureStream(workflow, before);
  const stream = await workflow.authority.call(recordHead, {
    stream: before.id,
    facts,
    cause: 'commit',
    expectHead: before.head,
  });
  const cascade = await cascadeStreams(workflow, { id: stream.id, oldHead: before.head, newHead: commit });
  const merge = workflow.repo.mergeMode === 'swarm' ? await mergeStream(workflow, stream.id) : null;
  return { kind: 'committed', commit, changeId, stream, files, cascade, merge };
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
