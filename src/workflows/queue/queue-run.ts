import type { SwarmError } from '../../contract/errors.ts';
import type { Merge } from '../../contract/merges.ts';
import type { Stream } from '../../contract/streams.ts';
import { touchesSettings } from '../../domain/repos/branch-rules.ts';
import type { Landing } from '../land.ts';
import type { EvictionPacket } from './evict.ts';

/** What one run of the queue did. */
export interface QueueRun {
  landed: { merge: Merge; stream: Stream | null; landing: Extract<Landing, { kind: 'merged' }> }[];
  conflicted: { merge: Merge; stream: Stream | null; files: { path: string; kind: string }[] }[];
  evicted: { merge: Merge; stream: Stream | null; packet: EvictionPacket }[];
  refused: { merge: Merge; stream: Stream | null; error: SwarmError }[];
  /** Left in the queue: paused, frozen, or behind something that is. */
  waiting: { merge: Merge; stream: Stream | null; reason: string }[];
  runs: number;
}

/** What the buffer holds now may say otherwise how streams land than what it held when the run began to land them. */
export function landedSettings({ landed }: QueueRun, since: number): boolean {
  return landed
    .slice(since)
    .some(({ merge, stream }) => merge.kind !== 'stream' || (stream && touchesSettings(stream.paths)));
}
