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
    const stream = await findClosed(workflow, id);
    const updates = stream ? await planFor(workflow, stream) : [];
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

/** A branch without a stream is one that is just being made. */
async function findClosed({ authority, clock }: Workflow, id: string): Promise<Stream | undefined> {
  const stream = await authority.call(showStream, { stream: id }).catch((error: unknown) => {
    if (isSwarmError(error, 'not_found')) return undefined;
    throw error;
  });
  if (stream?.state === 'merged') return stream;
  const since = clock.now() - Date.parse(stream?.updatedAt ?? '');
  return stream?.state === 'abandoned' && since > ABANDONED_KEPT_MS ? stream : undefined;
}

async function planFor(workflow: Workflow, stream: Stream): Promise<RefUpdate[]> {
  const { git } = workflow;
  const updates: RefUpdate[] = [];
  const staged = await findRef(git, stagedRef(stream.id));
  if (staged !== undefined) {
    const snapshot = `${SNAPSHOTS}${stream.id}/${staged}`;
    if ((await findRef(git, snapshot)) === undefined) updates.push({ ref: snapshot, old: null, new: staged });
    updates.push({ ref: stagedRef(stream.id), old: staged, new: null });
  }
  const ref = `${BRANCHES}${stream.id}`;
  const head = await findRef(git, ref);
  const isOurs = stream.branch === `stream/${stream.id}`;
  if (
    head !== undefined &&
    isOurs &&
    (await isLanded(workflow, head)) &&
    !(await isBuiltOn(workflow, stream))
  )
    updates.push({ ref, old: head, new: null });
  return updates;
}

async function isLanded(workflow: Workflow, head: string): Promise<boolean> {
  if (await isAncestor(workflow.git, head, await bufferTip(workflow))) return true;
  return isAncestor(workflow.git, head, await targetTip(workflow));
}

async function isBuiltOn({ authority, repo }: Workflow, { id }: Stream): Promise<boolean> {
  const wish = { repoId: repo.id, parent: id, open: true, limit: 1 };
  return (await authority.call(listStreams, wish)).items.length > 0;
}
