import * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import type { UndoRecord } from '../contract/undo.ts';
import type { RepoRow, StreamRow } from '../db/tables.ts';
import { getMergeRow, updateMergeRow } from '../domain/merges/merges-store.ts';
import { getStreamRow, handleOfStream, isStreamAuthor } from '../domain/streams/streams-store.ts';
import { changedSince } from '../domain/undo/changed-since.ts';
import { isMaintainer } from './is-maintainer.ts';
import type { ActingContext } from './operation.ts';
import { resumeRow } from './stream-children.ts';
import { reopenRow } from './stream-lifecycle.ts';

type RepoContext = ActingContext & { repo: RepoRow };

const PauseData = z.object({ streamId: z.string(), at: z.string() });

export async function undoPause(context: RepoContext, record: UndoRecord): Promise<void> {
  const data = PauseData.parse(record.data);
  const stream = await getStreamRow(context.db, data.streamId);
  if (stream.state !== 'paused' || stream.updated_at !== data.at) {
    throw changedSince(record, `gitswarm stream show ${handleOfStream(stream)}`);
  }
  await refuseStranger(context, stream);
  await resumeRow(context, stream);
}

const AbandonData = z.object({ streamIds: z.array(z.string()), at: z.string() });

/** All streams that went together come back together, and the children that waited for them go on. */
export async function undoAbandon(context: RepoContext, record: UndoRecord): Promise<void> {
  const data = AbandonData.parse(record.data);
  const streams: StreamRow[] = [];
  for (const id of data.streamIds) streams.push(await getStreamRow(context.db, id));
  for (const stream of streams) {
    if (stream.state !== 'abandoned' || stream.updated_at !== data.at) {
      throw changedSince(record, `gitswarm stream show ${handleOfStream(stream)}`);
    }
    await refuseStranger(context, stream);
  }
  for (const stream of streams) await reopenRow(context, stream);
}

const MoveData = z.object({
  mergeId: z.string(),
  priority: z.string(),
  rank: z.number(),
  movedTo: z.string(),
  movedRank: z.number(),
});

export async function undoQueueMove(context: RepoContext, record: UndoRecord): Promise<void> {
  const data = MoveData.parse(record.data);
  const merge = await getMergeRow(context.db, data.mergeId);
  const untouched =
    merge.state === 'requested' && merge.priority === data.movedTo && merge.rank === data.movedRank;
  if (!untouched) throw changedSince(record, 'gitswarm queue list');
  if (merge.repo_id !== context.repo.id || !(await isMaintainer(context, context.actor))) {
    throw notAllowed(context, 'moves in the queue');
  }
  await updateMergeRow(context.db, merge.id, { priority: data.priority, rank: data.rank });
  context.emit({
    type: 'queue.moved',
    subject: { type: 'merge', id: merge.id },
    data: { streamId: merge.stream_id, priority: data.priority, undo: true },
  });
}

/** What a workflow takes back in git moves a branch or brings a workspace back, and no operation could undo that. */
export async function requireRightToStream(context: RepoContext, record: UndoRecord): Promise<void> {
  const { streamId } = record.data;
  if (typeof streamId === 'string') await refuseStranger(context, await getStreamRow(context.db, streamId));
}

/** A right that was lost since does not come back by undoing; and a record proves nothing about who made it. */
async function refuseStranger(context: RepoContext, stream: StreamRow): Promise<void> {
  const isOwn = await isStreamAuthor(context.db, stream, context.actor.id);
  const isHere = stream.repo_id === context.repo.id;
  if (isHere && (isOwn || (await isMaintainer(context, context.actor)))) return;
  throw notAllowed(context, `stream ${handleOfStream(stream)}`);
}

function notAllowed({ actor }: RepoContext, what: string): SwarmError {
  return new SwarmError(
    'not_allowed',
    `${actor.name} may not undo this: ${what} is for its author or a maintainer.`,
  );
}
