import { isAncestor } from '../../git/commits.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import type { Workflow } from '../workflow.ts';

/** What this clone last saw in the remote and did there: `heads/<branch>`, `tags/<tag>`, `pushed/<branch>`. */
export const SHARED = 'refs/gitswarm/shared/';

/** Where the last seen value of a ref of the remote is kept: `refs/heads/x` under `refs/gitswarm/shared/heads/x`. */
export function seenRef(ref: string): string {
  return `${SHARED}${ref.slice('refs/'.length)}`;
}

/** Where the commit is kept that this clone itself pushed to a branch last. */
export function pushedRef(branch: string): string {
  return `${SHARED}pushed/${branch}`;
}

/** True for the tags that mark green commits; anybody may make others beside them. */
export function isGreenTag(ref: string): boolean {
  return /^refs\/tags\/green\/\d{8}T\d{6}Z-[0-9a-f]{10}$/.test(ref);
}

/** The tip of a branch in the remote when it was last asked, or written to from here. */
export function seenTip(workflow: Workflow, branch: string): Promise<string | undefined> {
  return findRef(workflow.git, seenRef(`refs/heads/${branch}`));
}

/** True where the remote was seen to have a commit on a branch. */
export async function isSeenOn(workflow: Workflow, branch: string, commit: string): Promise<boolean> {
  const seen = await seenTip(workflow, branch);
  return seen !== undefined && (await isHere(workflow, commit)) && isAncestor(workflow.git, commit, seen);
}

/** Notes a value at a ref of our own; whoever was quicker has noted something newer. */
export async function note(workflow: Workflow, ref: string, commit: string): Promise<void> {
  const old = (await findRef(workflow.git, ref)) ?? null;
  if (old !== commit) await updateRefs(workflow.git, [{ ref, old, new: commit }], 'gitswarm: shared');
}

/** False where a commit that other clones know of has not come here. Where there are no others, all are here. */
export async function isHere(workflow: Workflow, commit: string): Promise<boolean> {
  return !workflow.shared || (await workflow.git.objects.head(commit)) !== undefined;
}

/** True where a commit is on a branch, here or in the remote. */
export async function isOnBranch(workflow: Workflow, branch: string, commit: string): Promise<boolean> {
  if (!(await isHere(workflow, commit))) return false;
  const local = await findRef(workflow.git, `refs/heads/${branch}`);
  if (local !== undefined && (await isAncestor(workflow.git, commit, local))) return true;
  return workflow.shared !== undefined && isSeenOn(workflow, branch, commit);
}
