/** A candidate who accepted, with the votes that were cast for them. */
export interface Runner {
  agentId: string;
  votes: number;
  karma: number;
  acceptedAt: string;
}

/** Who takes the seats: by votes, ties by karma, then by who accepted first. Nobody is elected without a vote. */
export function elect(runners: readonly Runner[], seats: number): string[] {
  return runners
    .filter((runner) => runner.votes > 0)
    .toSorted(
      (a, b) =>
        b.votes - a.votes ||
        b.karma - a.karma ||
        compare(a.acceptedAt, b.acceptedAt) ||
        compare(a.agentId, b.agentId),
    )
    .slice(0, Math.max(0, seats))
    .map((runner) => runner.agentId);
}

/** Why somebody may not vote, or null. A vote needs a stake: a name that was registered a minute ago has none. */
export function whyNoVote(voter: {
  isSeated: boolean;
  isMaintainer: boolean;
  contributions: number;
}): string | null {
  if (voter.isSeated || voter.isMaintainer || voter.contributions > 0) return null;
  return 'members, maintainers and those whose work has landed vote';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
