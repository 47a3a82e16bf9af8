import { SwarmError } from '../contract/errors.ts';
import { isAncestor } from '../git/commits.ts';
import { upstreamOf } from '../git/upstream.ts';
import { moveBranch } from './move-branch.ts';
import { targetTip, type Workflow } from './workflow.ts';

/** Moves the target to its upstream where that is ahead of it; nothing is merged and nothing forced. */
export async function fastForwardTarget(
  workflow: Workflow,
): Promise<{ moved: boolean; commit: string; why: string }> {
  const { promoteTarget } = workflow.repo;
  const tip = await targetTip(workflow);
  const upstream = (await upstreamOf(workflow.git, promoteTarget))?.known;
  if (upstream === undefined) return { moved: false, commit: tip, why: 'tracking no upstream' };
  if (upstream === tip || (await isAncestor(workflow.git, upstream, tip)))
    return { moved: false, commit: tip, why: 'up to date' };
  if (!(await isAncestor(workflow.git, tip, upstream))) {
    return { moved: false, commit: tip, why: 'diverged from its upstream; pull or push it by hand' };
  }
  const moved = await moveBranch(workflow, {
    branch: promoteTarget,
    old: tip,
    new: upstream,
    reason: 'sync',
  });
  if (moved.kind === 'moved') return { moved: true, commit: upstream, why: 'moved' };
  throw new SwarmError(
    'target_checked_out',
    `${promoteTarget} is checked out with edits in the way of its upstream.`,
    {
      fix: 'Commit or stash them, then sync again.',
    },
  );
}
