import { SwarmError } from '../../contract/errors.ts';
import { isAncestor } from '../../git/commits.ts';
import { branchRef } from '../../git/ref-name.ts';
import type { SharedRemote, Workflow } from '../workflow.ts';
import { type Behind, followShared } from './follow-shared.ts';
import { pushRefs } from './push-refs.ts';
import { seeRemote } from './see-remote.ts';
import { diverged, refused } from './shared-errors.ts';
import { isSeenOn, seenTip } from './shared-refs.ts';

export type Advance =
  | { kind: 'moved' }
  /** It stands elsewhere; that was fetched, and the branch here follows. */
  | { kind: 'lost'; message: string }
  /** The remote stands where we thought, and did not take it. */
  | { kind: 'refused'; why: string }
  /** It stands elsewhere, and the branch here cannot follow. */
  | Behind;

/**
 * Moves a branch of the remote forward, if it stands where it is thought to stand; what only this clone had of it goes
 * along. `lost` where it stands elsewhere: that was fetched, so what is to land is composed anew. Throws unavailable
 * where the remote cannot be reached or does not take it.
 */
export async function advanceShared(
  workflow: Workflow,
  move: { branch: string; from: string; to: string },
): Promise<'moved' | 'lost'> {
  const advance = await tryAdvance(workflow, move);
  if (advance.kind === 'refused') throw refused(workflow, move.branch, advance.why);
  return advance.kind === 'moved' ? 'moved' : 'lost';
}

/** The same, with what stood in its way. */
export async function tryAdvance(
  workflow: Workflow,
  { branch, from, to }: { branch: string; from: string; to: string },
): Promise<Advance> {
  const { git, shared } = workflow;
  if (!shared) return { kind: 'moved' };
  if (!(await isAncestor(git, from, to)))
    throw new SwarmError('invalid', `${to} does not follow ${from}, so ${branch} cannot move there.`);
  const old = await seenTip(workflow, branch);
  if (await isSeenOn(workflow, branch, to)) return { kind: 'moved' };
  // What was composed on an older tip, or beside what others have pushed, would not go forward.
  const why =
    old === undefined || (await isAncestor(git, old, from))
      ? await send(workflow, shared, { branch, old, to })
      : 'stands elsewhere';
  if (why === undefined) return { kind: 'moved' };
  await seeRemote(workflow, shared, branch);
  if (await isSeenOn(workflow, branch, to)) return { kind: 'moved' };
  const now = await followShared(workflow, branch);
  if (now.kind === 'behind') return now;
  if (now.seen === old && why !== 'stands elsewhere') return { kind: 'refused', why };
  if (now.kind === 'diverged') return { kind: 'refused', why: diverged(workflow, branch, now).message };
  return { kind: 'lost', message: `${branch} is at ${now.seen.slice(0, 10)} in ${shared.remote}` };
}

/** Undefined where the remote has it, else why not. A connection that broke off may have brought it all the same. */
async function send(
  workflow: Workflow,
  shared: SharedRemote,
  { branch, old, to }: { branch: string; old: string | undefined; to: string },
): Promise<string | undefined> {
  const ref = branchRef(branch);
  try {
    return (await pushRefs(workflow, shared, [{ ref, old, new: to }])).get(ref);
  } catch (error) {
    await seeRemote(workflow, shared, branch).catch(() => undefined);
    if (await isSeenOn(workflow, branch, to)) return undefined;
    throw error;
  }
}
