import type { Stream } from '../../contract/streams.ts';

/** True where an open stream that waits for its author has seen no work for longer than `timeout` milliseconds. */
export function isStale(
  stream: Pick<Stream, 'state' | 'updatedAt'>,
  { timeout, now }: { timeout: number; now: number },
): boolean {
  const waitsForAuthor = ['active', 'changes_requested', 'conflicted'].includes(stream.state);
  return waitsForAuthor && now - Date.parse(stream.updatedAt) > timeout;
}
