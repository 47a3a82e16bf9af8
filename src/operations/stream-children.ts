import type { StreamRow } from '../db/tables.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen } from '../domain/streams/stream-states.ts';
import { listChildRows, stateOf, updateStreamRow } from '../domain/streams/streams-store.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import type { ActingContext } from './operation.ts';

export const PARENT_GONE = 'parent_gone';

/** Pauses the open children of a stream whose work is gone (abandoned or reverted); answers those it paused. */
export async function pauseChildren(context: ActingContext, parent: StreamRow): Promise<StreamRow[]> {
  const paused: StreamRow[] = [];
  for (const child of await listChildRows(context.db, parent.id)) {
    const state = stateOf(child);
    if (!isOpen(state) || state === 'paused') continue;
    await withdrawLiveMerge(context, child, PARENT_GONE);
    paused.push(
      await moveStream(context, child, 'pause', {
        state_before: state === 'queued' ? 'approved' : state,
        state_reason: PARENT_GONE,
      }),
    );
    context.emit({
      type: 'stream.paused',
      subject: { type: 'stream', id: child.id },
      data: { reason: PARENT_GONE, parentStreamId: parent.id },
    });
  }
  return paused;
}

/** A fix stream takes over the children of the stream it re-applies; those that waited for it go on. */
export async function adoptChildren(context: ActingContext, lost: StreamRow, heir: StreamRow): Promise<StreamRow[]> {
  const adopted: StreamRow[] = [];
  for (const child of await listChildRows(context.db, lost.id)) {
    if (child.id === heir.id || !isOpen(stateOf(child))) continue;
    const waited = child.state === 'paused' && child.state_reason === PARENT_GONE;
    const resumed = waited
      ? { state: child.state_before ?? 'active', state_before: null, state_reason: null }
      : {};
    adopted.push(
      await updateStreamRow(context.db, child.id, { ...resumed, parent_stream_id: heir.id, updated_at: context.now }),
    );
    if (waited) {
      context.emit({
        type: 'stream.resumed',
        subject: { type: 'stream', id: child.id },
        data: { parentStreamId: heir.id },
      });
    }
  }
  return adopted;
}
