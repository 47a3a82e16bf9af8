import type { Tx } from '../../db/database.ts';
import type { StreamRow } from '../../db/tables.ts';
import { nextState, refuseState, type StreamHappening } from './stream-states.ts';
import { handleOfStream, stateOf, updateStreamRow } from './streams-store.ts';

/** Moves a stream to the state that follows, with other changes of its row; refuses what cannot happen in its state. */
export async function moveStream(
  context: { db: Tx; now: string },
  stream: StreamRow,
  happening: StreamHappening,
  changes: Partial<StreamRow> = {},
): Promise<StreamRow> {
  const state = nextState(stateOf(stream), happening);
  if (!state) refuseState(handleOfStream(stream), stateOf(stream), happening.replace('_', ' '));
  const left = stream.state === 'conflicted' && state !== 'conflicted' ? { conflict: null } : {};
  return updateStreamRow(context.db, stream.id, { ...left, ...changes, state, updated_at: context.now });
}
