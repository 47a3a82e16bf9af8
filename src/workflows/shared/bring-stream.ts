import type { Stream } from '../../contract/streams.ts';
import { checkedOutRefs } from '../../git/checkouts.ts';
import { isAncestor } from '../../git/commits.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import { keepHead, keepUpdate } from '../kept-heads.ts';
import { moveBranch } from '../move-branch.ts';
import type { Workflow } from '../workflow.ts';
import { seeRemote } from './see-remote.ts';
import { notPushed } from './shared-errors.ts';
import { isHere, seenTip } from './shared-refs.ts';

/**
 * The recorded head of a stream that is written on another machine, with all it holds; it is fetched once where it is
 * not known to be here. Throws unavailable where the remote does not have it, or is away.
 */
export async function bringStream(workflow: Workflow, stream: Stream): Promise<string> {
  // What has landed came with the buffer, and its branch may be gone.
  if (stream.state === 'merged' && (await isHere(workflow, stream.head))) return stream.head;
  if (!(await bringCommit(workflow, stream.branch, stream.head))) throw notPushed(workflow, stream);
  // A tracked branch has a name that somebody here may use for work of their own.
  if (stream.source !== 'tracked') await moveMirror(workflow, stream, stream.head);
  return stream.head;
}

/** True where a commit of a branch is here, after one look into the remote where that is not known. */
export async function bringCommit(workflow: Workflow, branch: string, commit: string): Promise<boolean> {
  const { git, shared } = workflow;
  if (!shared) return true;
  // A commit is known to be whole where a ref of ours stands on it; one that merely exists may be half of a fetch.
  if ((await seenTip(workflow, branch)) === commit) return true;
  if (branch.startsWith('stream/') && (await findRef(git, `refs/heads/${branch}`)) === commit) return true;
  await seeRemote(workflow, shared, branch);
  return isHere(workflow, commit);
}

/**
 * Moves the branch that mirrors a stream of another machine, or makes it. What it leaves is kept. One that somebody has
 * checked out only goes forward, and where an edit is in the way it stays: nothing is decided by it.
 */
export async function moveMirror(
  workflow: Workflow,
  { id, branch }: { id: string; branch: string },
  to: string,
): Promise<void> {
  const { git } = workflow;
  const ref = `refs/heads/${branch}`;
  const old = await findRef(git, ref);
  if (old === to) return;
  if (old === undefined || (await isAncestor(git, old, to))) {
    if (old !== undefined) await moveBranch(workflow, { branch, old, new: to, reason: 'mirror' });
    else await updateRefs(git, [{ ref, old: null, new: to }], 'gitswarm: mirror', { withCheckout: true });
    return;
  }
  if ((await checkedOutRefs(git, new Set([ref]))).has(ref)) return;
  const keep = keepUpdate(id, old, await findRef(git, keepHead(id, old).ref));
  await updateRefs(git, [...(keep ? [keep] : []), { ref, old, new: to }], 'gitswarm: mirror');
}
