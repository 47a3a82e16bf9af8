import type { StreamState } from '../../contract/streams.ts';
import type { Tx } from '../../db/database.ts';
import type { StreamRow } from '../../db/tables.ts';
import { nextState, refuseState, type StreamHappening, workState } from './stream-states.ts';
import { handleOfStream, stateOf, updateStreamRow } from './streams-store.ts';

/** Moves a stream to the state that follows, with other changes of its row; refuses what cannot happen in its state. */
export async function moveStream(
  context: { db: Tx; now: string },
  stream: StreamRow,
  happening: StreamHappening,
  changes: Partial<StreamRow> = {},
): Promise<StreamRow> {
  const state = nextState(stateOf(stream), happening, stateBefore(stream));
  if (!state) refuseState(handleOfStream(stream), stateOf(stream), happening.replace('_', ' '));
  const kept = remembered(stream, state, happening);
  return updateStreamRow(context.db, stream.id, { ...kept, ...changes, state, updated_at: context.now });
}

/** What a row remembers of the state it leaves, and forgets of the one it had remembered. */
function remembered(stream: StreamRow, state: StreamState, happening: StreamHappening): Partial<StreamRow> {
  const from = stateOf(stream);
  const resolved = happening === 'rebase' && from === 'paused' && stream.state_before === 'conflicted';
  if (resolved) return { state_before: 'active', conflict: null };
  if (state === from) return {};
  switch (state) {
    case 'queued':
    case 'conflicted':
      return { state_before: workState(from, stateBefore(stream)) };
    case 'paused':
    case 'abandoned':
      if (from === 'paused') return {};
      return { state_before: from === 'queued' ? workState(from, stateBefore(stream)) : from };
    default:
      return { state_before: null, conflict: null };
  }
}

function stateBefore(stream: StreamRow): StreamState | null {
  return stream.state_before as StreamState | null;
}
