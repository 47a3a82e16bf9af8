import { SwarmError } from '../contract/errors.ts';
import type { MergeRow, StreamRow } from '../db/tables.ts';
import { findLiveMerge, updateMergeRow } from '../domain/merges/merges-store.ts';
import { handleOfStream } from '../domain/streams/streams-store.ts';
import type { ActingContext } from './operation.ts';

/**
 * Takes back a stream's standing wish to land. One that is prepared is landing at this moment: then the caller is
 * told to try again, because what it wants to change may be on the buffer already.
 */
export async function withdrawLiveMerge(
  context: ActingContext,
  stream: StreamRow,
  reason: string,
  options: { unlessForced?: boolean } = {},
): Promise<MergeRow | undefined> {
  const merge = await findLiveMerge(context.db, stream.id);
  if (!merge || (options.unlessForced && merge.forced === 1)) return undefined;
  if (merge.state === 'prepared') {
    throw new SwarmError('busy', `Stream ${handleOfStream(stream)} is landing at this moment.`, {
      fix: 'Try again; if it stays so, gitswarm doctor --fix.',
      details: { mergeId: merge.id },
    });
  }
  const ended = await updateMergeRow(context.db, merge.id, {
    state: 'withdrawn',
    reason,
    ended_at: context.now,
  });
  context.emit({
    type: 'merge.withdrawn',
    subject: { type: 'merge', id: merge.id },
    data: { streamId: stream.id, reason },
  });
  return ended;
}
