import type { RefUpdate } from '../git/ref-writer.ts';

/** Where heads live on that a rewrite has left behind, so that reviews can still be compared and nothing is lost. */
export const KEPT = 'refs/gitswarm/kept/';

/** A ref that keeps a commit of a stream alive; part of the same transaction as the move that leaves it behind. */
export function keepHead(streamId: string, commit: string): { ref: string; new: string } {
  return { ref: `${KEPT}${streamId}/${commit}`, new: commit };
}

/** The update that keeps a commit, given whether the ref is there already; undefined where it is. */
export function keepUpdate(
  streamId: string,
  commit: string,
  existing: string | undefined,
): RefUpdate | undefined {
  return existing === undefined ? { ...keepHead(streamId, commit), old: null } : undefined;
}
