import { SwarmError } from '../contract/errors.ts';
import { showStream } from '../contract/streams.ts';
import { type UndoRecord, undo } from '../contract/undo.ts';
import { resolveCommit } from '../git/refs.ts';
import { cascadeStreams } from './cascade-streams.ts';
import { restoreWorkspace } from './destroy-workspace.ts';
import { setSettingFile } from './edit-config.ts';
import { forkPoints, measureFacts } from './facts.ts';
import { moveBranch } from './move-branch.ts';
import { recordHeadOf } from './record-head.ts';
import { requireHome } from './shared/at-home.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface Undone {
  record: UndoRecord;
  /** What was done in git, in a sentence; null where nothing was. */
  effect: string | null;
}

/** Takes the caller's last operation back, in the database and in git. */
export async function undoOperation(workflow: Workflow, ref?: string): Promise<Undone> {
  actorOf(workflow);
  const record = await workflow.authority.call(undo, { repoId: workflow.repo.id, record: ref });
  switch (record.operation) {
    case 'workspace.destroy': {
      const restored = await restoreWorkspace(workflow, String(record.data.streamId));
      return { record, effect: `the workspace is back at ${restored.path}` };
    }
    case 'stream.rebase':
    case 'stream.resolve':
      return { record, effect: await moveBack(workflow, record) };
    case 'repo.set_config':
      return { record, effect: setSettingFile(workflow, record) };
    default:
      return { record, effect: null };
  }
}

/** A rewritten branch goes back to the head it had, if nothing was committed on it since. */
async function moveBack(workflow: Workflow, record: UndoRecord): Promise<string> {
  const { streamId, from, to } = record.data as { streamId: string; from: string; to: string };
  const stream = await workflow.authority.call(showStream, { stream: streamId });
  await requireHome(workflow, stream);
  const head = await resolveCommit(workflow.git, `refs/heads/${stream.branch}`);
  if (head !== to) {
    throw new SwarmError(
      'wrong_state',
      `Stream ${stream.handle} has new commits since; it was not moved back.`,
      {
        fix: `git log ${stream.branch}`,
      },
    );
  }
  const moved = await moveBranch(workflow, { branch: stream.branch, old: to, new: from, reason: 'undo' });
  if (moved.kind !== 'moved') {
    throw new SwarmError('worktree_dirty', `The workspace of ${stream.handle} has edits in the way.`, {
      fix: 'Commit or stash them first.',
    });
  }
  const facts = await measureFacts(workflow, from, await forkPoints(workflow, stream));
  await recordHeadOf(workflow, { stream: streamId, facts, cause: 'rebased' });
  await cascadeStreams(workflow, { id: streamId, oldHead: to, newHead: from });
  return `${stream.branch} is back at ${from.slice(0, 10)}`;
}
