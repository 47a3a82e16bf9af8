import type { RepoRow, StreamRow } from '../db/tables.ts';
import { findLiveMerge } from '../domain/merges/merges-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen } from '../domain/streams/stream-states.ts';
import { listChildRows, stateOf, updateStreamRow } from '../domain/streams/streams-store.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import type { ActingContext } from './operation.ts';
import { refreshApproval } from './stream-effects.ts';

export const PARENT_GONE = 'parent_gone';

type RepoContext = ActingContext & { repo: RepoRow };

/**
 * Pauses the open children of a stream whose work is gone (abandoned or reverted); answers those it paused. One that
 * is landing at this moment is left alone: its gate is asked again before it moves.
 */
export async function pauseChildren(context: ActingContext, parent: StreamRow): Promise<StreamRow[]> {
  const paused: StreamRow[] = [];
  for (const child of await listChildRows(context.db, parent.id)) {
    const state = stateOf(child);
    if (!isOpen(state) || state === 'paused') continue;
    if ((await findLiveMerge(context.db, child.id))?.state === 'prepared') continue;
    await withdrawLiveMerge(context, child, PARENT_GONE);
    paused.push(await moveStream(context, child, 'pause', { state_reason: PARENT_GONE }));
    context.emit({
      type: 'stream.paused',
      subject: { type: 'stream', id: child.id },
      data: { reason: PARENT_GONE, parentStreamId: parent.id },
    });
  }
  return paused;
}

/** A fix stream takes over the children of the stream it re-applies; those that waited for it go on. */
export async function adoptChildren(context: RepoContext, lost: StreamRow, heir: StreamRow): Promise<void> {
  for (const child of await listChildRows(context.db, lost.id)) {
    if (child.id === heir.id || !isOpen(stateOf(child))) continue;
    const adopted = await updateStreamRow(context.db, child.id, {
      parent_stream_id: heir.id,
      updated_at: context.now,
    });
    if (waitsForParent(adopted)) await resumeRow(context, adopted);
  }
}

/** The children that waited for a stream go on when it is back. */
export async function resumeChildren(context: RepoContext, parent: StreamRow): Promise<void> {
  const waiting = (await listChildRows(context.db, parent.id)).filter(waitsForParent);
  for (const child of waiting) await resumeRow(context, child);
}

/** True where a stream is paused because the work it builds on is gone. */
export function waitsForParent(stream: StreamRow): boolean {
  return stream.state === 'paused' && stream.state_reason === PARENT_GONE;
}

/** Puts a paused stream back into the state it was paused in, as far as its consensus still holds. */
export async function resumeRow(context: RepoContext, stream: StreamRow): Promise<StreamRow> {
  const resumed = await updateStreamRow(context.db, stream.id, {
    state: stream.state_before ?? 'active',
    state_before: null,
    state_reason: null,
    updated_at: context.now,
  });
  context.emit({
    type: 'stream.resumed',
    subject: { type: 'stream', id: stream.id },
    data: { parentStreamId: stream.parent_stream_id },
  });
  return refreshApproval(context, resumed);
}
