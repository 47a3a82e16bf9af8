import { allPages } from '../base/all-pages.ts';
import { SwarmError } from '../contract/errors.ts';
import { listMerges, type Merge, requestPlainMerge } from '../contract/merges.ts';
import { reportIntakeConflict } from '../contract/stabilizations.ts';
import { isAncestor, readCommit } from '../git/commits.ts';
import { mergeCommits, mergeTrees } from '../git/merge.ts';
import { revertMerge } from '../git/revert.ts';
import { type Compose, type Landing, landingMessage, landMergeIntent } from './land.ts';
import { bufferTip, targetTip, type Workflow } from './workflow.ts';

/** The target merged into the buffer. */
export function composeIntake(workflow: Workflow, merge: Merge): Compose {
  return (tip, as) =>
    mergeCommits(workflow.git, {
      ours: tip,
      theirs: merge.head,
      message: landingMessage(`Take in ${workflow.repo.promoteTarget}`, { mergeId: merge.id }),
      ...as,
    });
}

/** The undoing of a landing, as one commit on the tip. */
export function composeRevert(workflow: Workflow, merge: Merge): Compose {
  return async (tip, as) => {
    const landed = await readCommit(workflow.git, merge.head);
    const subject = landed.message.split('\n')[0] ?? '';
    return revertMerge(workflow.git, {
      tip,
      merge: merge.head,
      message: landingMessage(`Revert "${subject}"`, {
        mergeId: merge.id,
        reverts: merge.revertsMergeId ?? undefined,
      }),
      ...as,
    });
  };
}

export type Intake =
  | { kind: 'none' }
  | { kind: 'taken_in'; landing: Extract<Landing, { kind: 'merged' }> }
  /** Blocks promotion only; a critical task is open. */
  | { kind: 'conflict'; files: string[]; taskHandle: string };

/**
 * Takes commits that reached the target by another way (a pull, a hotfix, a committed settings file) into the buffer.
 * The caller holds the queue or is about to drive it.
 */
export async function intake(workflow: Workflow): Promise<Intake> {
  const [target, buffer] = [await targetTip(workflow), await bufferTip(workflow)];
  if (target === buffer || (await isAncestor(workflow.git, target, buffer))) return { kind: 'none' };
  const [answer] = await mergeTrees(workflow.git, [{ ours: buffer, theirs: target }]);
  if (answer?.kind === 'conflict') {
    const files = answer.files.map((file) => file.path);
    const task = await workflow.authority.call(reportIntakeConflict, {
      repoId: workflow.repo.id,
      target,
      buffer,
      paths: files,
    });
    return { kind: 'conflict', files, taskHandle: task.handle };
  }
  const merge = await workflow.authority.call(requestPlainMerge, {
    repoId: workflow.repo.id,
    kind: 'intake',
    head: target,
  });
  const landing = await landMergeIntent(workflow, merge, composeIntake(workflow, merge));
  if (landing.kind === 'merged') return { kind: 'taken_in', landing };
  return { kind: 'conflict', files: landing.files.map((file) => file.path), taskHandle: '' };
}

/** The newest landing of a stream that still stands. */
export async function landingOf(workflow: Workflow, streamId: string): Promise<Merge> {
  const landings = await allPages((cursor) =>
    workflow.authority.call(listMerges, {
      repoId: workflow.repo.id,
      stream: streamId,
      state: 'landed',
      limit: 200,
      cursor,
    }),
  );
  const [newest] = landings;
  if (newest) return newest;
  throw new SwarmError('wrong_state', 'This stream has no landing that could be reverted.', {
    fix: 'gitswarm stream list --status merged',
  });
}
