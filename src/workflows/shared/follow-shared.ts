import { SwarmError } from '../../contract/errors.ts';
import { isAncestor } from '../../git/commits.ts';
import type { MoveResult } from '../../git/move-checkout.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import { moveBranch } from '../move-branch.ts';
import type { Workflow } from '../workflow.ts';
import { seenTip } from './shared-refs.ts';

/** How a branch here stands to the remote's: `moved` now, to where that one is; `missing` there. */
export type Standing = 'same' | 'moved' | 'ahead' | 'diverged' | 'missing';

export type Behind = Extract<MoveResult, { kind: 'behind' }>;

/** Where they are, for whoever has to say so. */
export type Followed = { kind: Standing; local: string; seen: string } | Behind;

/** How often it is compared again where the branch here moves meanwhile. */
const TRIES = 5;

/** Brings a branch, with its checkout, to where it was last seen in the remote, if it only has to go forward. */
export async function followShared(workflow: Workflow, branch: string): Promise<Followed> {
  const { git } = workflow;
  const ref = `refs/heads/${branch}`;
  for (let attempt = 1; ; attempt++) {
    const [seen, local] = [await seenTip(workflow, branch), await findRef(git, ref)];
    const at = { local: local ?? '', seen: seen ?? '' };
    if (seen === undefined) return { kind: 'missing', ...at };
    if (local === seen) return { kind: 'same', ...at };
    if (local !== undefined && (await isAncestor(git, seen, local))) return { kind: 'ahead', ...at };
    if (local !== undefined && !(await isAncestor(git, local, seen))) return { kind: 'diverged', ...at };
    const moved =
      local === undefined
        ? await updateRefs(git, [{ ref, old: null, new: seen }], 'gitswarm: follow', { withCheckout: true })
        : await moveBranch(workflow, { branch, old: local, new: seen, reason: 'follow' });
    if (moved.kind === 'moved') return { kind: 'moved', ...at };
    if (moved.kind === 'behind') return moved;
    if (attempt === TRIES)
      throw new SwarmError('busy', `${branch} keeps moving here.`, { fix: 'Try again.' });
  }
}
