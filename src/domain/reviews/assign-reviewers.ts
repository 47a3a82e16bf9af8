/** A stream that waits for a verdict, and who could give one that counts. */
export interface Waiting {
  streamId: string;
  candidates: readonly string[];
}

/**
 * One reviewer for each stream: in the order of the streams, each goes to the candidate who has the fewest so far, ties
 * by the order of their ids. The same facts name the same people everywhere. A stream without candidates has none.
 */
export function assignReviewers(waiting: readonly Waiting[]): Map<string, string> {
  const load = new Map<string, number>();
  const assigned = new Map<string, string>();
  for (const { streamId, candidates } of waiting) {
    const [chosen] = candidates.toSorted(
      (a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : a > b ? 1 : 0),
    );
    if (chosen === undefined) continue;
    load.set(chosen, (load.get(chosen) ?? 0) + 1);
    assigned.set(streamId, chosen);
  }
  return assigned;
}
