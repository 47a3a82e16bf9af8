import { checkedOutRefs } from '../../git/checkouts.ts';
import { type MoveResult, obstacleTo } from '../../git/move-checkout.ts';
import type { Workflow } from '../workflow.ts';
import { tryAdvance } from './advance-shared.ts';
import { followShared } from './follow-shared.ts';
import { inTheWay } from './shared-errors.ts';

/**
 * Moves a branch forward in the remote, which is what counts, and then here. What stands in its way here is found out
 * before: nothing has moved then. `moved` says that it was told to pass between the two.
 */
export async function moveShared(
  workflow: Workflow,
  move: { branch: string; from: string; to: string },
  moved: () => void,
): Promise<MoveResult | { kind: 'refused'; why: string }> {
  const { git } = workflow;
  const ref = `refs/heads/${move.branch}`;
  const worktree = (await checkedOutRefs(git, new Set([ref]))).get(ref);
  const obstacle =
    worktree === undefined
      ? undefined
      : await obstacleTo(git, { worktree, ref, old: move.from, new: move.to });
  if (obstacle) return obstacle;
  const advance = await tryAdvance(workflow, move);
  if (advance.kind !== 'moved') return advance;
  moved();
  const followed = await followShared(workflow, move.branch);
  // Somebody edited there in this moment. It has moved where it counts, and follows here later.
  if (followed.kind === 'behind') workflow.notify(inTheWay(move.branch, followed).message);
  return { kind: 'moved' };
}
