import { isSwarmError } from '../../contract/errors.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import { isAncestor } from '../../git/commits.ts';
import { findRef, listRefs } from '../../git/refs.ts';
import { listWorkspaces } from '../../machine/workspaces.ts';
import { keepHead } from '../kept-heads.ts';
import type { SharedRemote, Workflow } from '../workflow.ts';
import { isAtHome, listClaims } from './at-home.ts';
import { pushRefs, type RefPush } from './push-refs.ts';
import { seeRemote } from './see-remote.ts';
import { isGreenTag, isHere, note, pushedRef, SHARED, seenRef, seenTip } from './shared-refs.ts';

export interface StreamsPushed {
  pushed: string[];
  /** What was not taken; a remote that is away is the reason of all of them. */
  failed: { streamId: string; why: string }[];
}

interface Publication {
  streamId: string;
  branch: string;
  tip: string;
}

/**
 * Publishes the branches that are written here and whose tip the remote was not seen to have; by default of all open
 * streams with a workspace or claim here. A rebase replaces what this clone has pushed before, and nothing else: what
 * another hand pushed stays, and is the reason. Asks the remote only where there is something to push.
 */
export async function pushStreams(workflow: Workflow, streamIds?: readonly string[]): Promise<StreamsPushed> {
  const { shared } = workflow;
  const result: StreamsPushed = { pushed: [], failed: [] };
  if (!shared) return result;
  const publications = await unpublished(workflow, streamIds ?? (await homeIds(workflow)));
  if (publications.length === 0) return result;
  try {
    const left = await publish(workflow, shared, { publications, result });
    if (left.length === 0) return result;
    // Where its author has pushed by hand, or somebody added to it, what is here may still go forward.
    await seeRemote(workflow, shared);
    for (const { streamId, why } of await publish(workflow, shared, { publications: left, result }))
      result.failed.push({ streamId, why });
  } catch (error) {
    if (!isSwarmError(error, 'unavailable')) throw error;
    const { pushed } = result;
    for (const { streamId } of publications)
      if (!pushed.includes(streamId)) result.failed.push({ streamId, why: error.message });
  }
  return result;
}

/** Publishes green tags that the remote was not seen to have. Answers the names that it took; throws unavailable. */
export async function pushTags(workflow: Workflow, names?: readonly string[]): Promise<string[]> {
  const { git, shared } = workflow;
  if (!shared) return [];
  const [here, seen] = await Promise.all([
    listRefs(git, ['refs/tags/green/']),
    listRefs(git, [`${SHARED}tags/green/`]),
  ]);
  const known = new Set(seen.map(({ name }) => name));
  const pushes = here
    .filter(({ name }) => isGreenTag(name) && !known.has(seenRef(name)))
    .filter(({ name }) => names?.includes(name.slice('refs/tags/'.length)) ?? true)
    .map(({ name, oid }) => ({ ref: name, old: undefined, new: oid }));
  const why = await pushRefs(workflow, shared, pushes);
  return pushes
    .map(({ ref }) => ref)
    .filter((ref) => !why.has(ref))
    .map((ref) => ref.slice('refs/tags/'.length));
}

async function homeIds(workflow: Workflow): Promise<string[]> {
  const ids = listWorkspaces(workflow.machine).map((workspace) => workspace.stream_id);
  return [...new Set([...ids, ...(await listClaims(workflow))])];
}

async function unpublished(workflow: Workflow, ids: readonly string[]): Promise<Publication[]> {
  const branches = new Map(listWorkspaces(workflow.machine).map((each) => [each.stream_id, each.branch]));
  const found: Publication[] = [];
  for (const id of ids) {
    const known = branches.get(id);
    // Most are published already, which costs no question to whoever decides.
    if (known !== undefined && (await tipToPush(workflow, known)) === undefined) continue;
    const stream = await findStream(workflow, id);
    if (!stream || stream.state === 'merged' || stream.state === 'abandoned') continue;
    const tip = await tipToPush(workflow, stream.branch);
    // Its workspace may be gone; what is recorded has to be found all the same.
    const isOurs = tip === stream.head || (await isAtHome(workflow, stream));
    if (tip !== undefined && isOurs) found.push({ streamId: stream.id, branch: stream.branch, tip });
  }
  return found;
}

async function tipToPush(workflow: Workflow, branch: string): Promise<string | undefined> {
  const tip = await findRef(workflow.git, `refs/heads/${branch}`);
  return tip === (await seenTip(workflow, branch)) ? undefined : tip;
}

async function findStream(workflow: Workflow, id: string): Promise<Stream | undefined> {
  try {
    return await workflow.authority.call(showStream, { stream: id });
  } catch (error) {
    if (isSwarmError(error, 'not_found')) return undefined;
    throw error;
  }
}

/** Pushes what may be pushed; answers what was not, with the reason. */
async function publish(
  workflow: Workflow,
  shared: SharedRemote,
  { publications, result }: { publications: readonly Publication[]; result: StreamsPushed },
): Promise<(Publication & { why: string })[]> {
  const left: (Publication & { why: string })[] = [];
  const pushes: (Publication & RefPush)[] = [];
  for (const each of publications) {
    const old = await seenTip(workflow, each.branch);
    if (old === undefined || (await mayReplace(workflow, each, old)))
      pushes.push({ ...each, ref: `refs/heads/${each.branch}`, old, new: each.tip });
    else left.push({ ...each, why: `another hand pushed ${old.slice(0, 10)} to ${each.branch}` });
  }
  const why = await pushRefs(workflow, shared, pushes);
  for (const { ref, old: _old, new: _new, ...each } of pushes) {
    const words = why.get(ref);
    if (words !== undefined) left.push({ ...each, why: words });
    else {
      await note(workflow, pushedRef(each.branch), each.tip);
      result.pushed.push(each.streamId);
    }
  }
  return left;
}

/** What goes forward loses nothing; what is replaced must have been ours: pushed from here, or left by a rewrite here. */
async function mayReplace(workflow: Workflow, { streamId, branch, tip }: Publication, old: string) {
  const { git } = workflow;
  if ((await findRef(git, pushedRef(branch))) === old) return true;
  if ((await findRef(git, keepHead(streamId, old).ref)) !== undefined) return true;
  return (await isHere(workflow, old)) && isAncestor(git, old, tip);
}
