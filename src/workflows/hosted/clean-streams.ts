import { isSwarmError } from '../../contract/errors.ts';
import { listStreams, type Stream, showStream } from '../../contract/streams.ts';
import { isAncestor } from '../../git/commits.ts';
import type { RefUpdate } from '../../git/ref-writer.ts';
import { findRef, listRefs, updateRefs } from '../../git/refs.ts';
import { SNAPSHOTS } from '../../git/snapshot.ts';
import { bufferTip, targetTip, type Workflow } from '../workflow.ts';
import { STAGED, stagedRef } from './staged-files.ts';

const BRANCHES = 'refs/heads/stream/';
/** So long somebody may take the abandonment of a stream back and find everything as it was. */
const ABANDONED_KEPT_MS = 7 * 86_400_000;

/**
 * Takes away what closed streams no longer need in a server's clone: their branches, where all of it is on the buffer or
 * the target and nobody builds on it, and what was staged and never committed, which is kept as a snapshot. One
 * transaction for each stream, so that a crash leaves it as it was or as it is to be. Answers the ids.
 */
export async function cleanStreams(workflow: Workflow, only?: { stream: string }): Promise<string[]> {
  const cleaned: string[] = [];
  for (const id of only ? [only.stream] : await streamsWithRefs(workflow)) {
    const updates = await planFor(workflow, id);
    if (updates.length === 0) continue;
    workflow.reach('clean.planned');
    const result = await updateRefs(workflow.git, updates, 'gitswarm: clean');
    if (result.kind === 'moved') cleaned.push(id);
  }
  return cleaned;
}

async function streamsWithRefs({ git }: Workflow): Promise<string[]> {
  const refs = await listRefs(git, [STAGED, BRANCHES]);
  return [
    ...new Set(refs.map((ref) => ref.name.slice((ref.name.startsWith(STAGED) ? STAGED : BRANCHES).length))),
  ];
}

async function planFor(workflow: Workflow, id: string): Promise<RefUpdate[]> {
  const stream = await findStream(workflow, id);
  return stream && isOver(workflow, stream) ? planForClosed(workflow, stream) : [];
}

/** A branch without a stream is just being made, or came with a clone and is not ours. */
async function findStream({ authority }: Workflow, id: string): Promise<Stream | undefined> {
  return authority.call(showStream, { stream: id }).catch((error: unknown) => {
    if (isSwarmError(error, 'not_found')) return undefined;
    throw error;
  });
}

function isOver({ clock }: Workflow, { state, updatedAt }: Stream): boolean {
  if (state === 'merged') return true;
  return state === 'abandoned' && clock.now() - Date.parse(updatedAt) > ABANDONED_KEPT_MS;
}

async function planForClosed(workflow: Workflow, stream: Stream): Promise<RefUpdate[]> {
  const { git } = workflow;
  const updates: RefUpdate[] = [];
  const staged = await findRef(git, stagedRef(stream.id));
  if (staged !== undefined) {
    const snapshot = `${SNAPSHOTS}${stream.id}/${staged}`;
    if ((await findRef(git, snapshot)) === undefined) updates.push({ ref: snapshot, old: null, new: staged });
    updates.push({ ref: stagedRef(stream.id), old: staged, new: null });
  }
  const isOurs = stream.branch === `stream/${stream.id}`;
  if (!isOurs || (await isBuiltOn(workflow, stream))) return updates;
  return [...updates, ...(await removalOf(workflow, `${BRANCHES}${stream.id}`))];
}

/** Nothing where the branch holds a commit that is found nowhere else. */
async function removalOf(workflow: Workflow, ref: string): Promise<RefUpdate[]> {
  const head = await findRef(workflow.git, ref);
  if (head === undefined || !(await isLanded(workflow, head))) return [];
  return [{ ref, old: head, new: null }];
}

async function isLanded(workflow: Workflow, head: string): Promise<boolean> {
  if (await isAncestor(workflow.git, head, await bufferTip(workflow))) return true;
  return isAncestor(workflow.git, head, await targetTip(workflow));
}

async function isBuiltOn({ authority, repo }: Workflow, { id }: Stream): Promise<boolean> {
  const wish = { repoId: repo.id, parent: id, open: true, limit: 1 };
  return (await authority.call(listStreams, wish)).items.length > 0;
}
