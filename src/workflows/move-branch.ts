import { checkedOutRefs } from '../git/checkouts.ts';
import { type MoveResult, moveCheckout } from '../git/move-checkout.ts';
import type { RefUpdate } from '../git/ref-writer.ts';
import { updateRefs } from '../git/refs.ts';
import type { Workflow } from './workflow.ts';

/**
 * Moves one branch by compare-and-swap. Where it is checked out, anybody's checkout, index and files move with it; if
 * a local edit stands in the way nothing moves and the answer is `behind`.
 */
export async function moveBranch(
  workflow: Workflow,
  move: { branch: string; old: string; new: string; reason: string },
  alongside: RefUpdate[] = [],
): Promise<MoveResult> {
  const ref = `refs/heads/${move.branch}`;
  const worktree = (await checkedOutRefs(workflow.git)).get(ref);
  if (worktree === undefined) {
    const updates = [{ ref, old: move.old, new: move.new }, ...alongside];
    // That nobody stands on it was found out just now; what goes along are refs of our own.
    return updateRefs(workflow.git, updates, `gitswarm: ${move.reason}`, { withCheckout: true });
  }
  if (alongside.length > 0) await updateRefs(workflow.git, alongside, `gitswarm: ${move.reason}`);
  return moveCheckout(workflow.git, { worktree, ref, old: move.old, new: move.new });
}
