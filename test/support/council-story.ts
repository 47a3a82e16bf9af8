import { createCouncil, showCouncil, takeCouncilSeat } from '../../src/contract/councils.ts';
import { createProposal, voteOnProposal } from '../../src/contract/proposals.ts';
import type { Database } from '../../src/db/database.ts';
import { startStory } from './stream-story.ts';

export const COUNCILLORS = ['ann', 'ben', 'cat', 'dan'] as const;

export interface CouncilWish {
  seats?: number;
  minKarma?: number;
  maxMembers?: number;
  criticalQuorum?: number;
}

/** A repository with a council in which the first of four agents sit, and which proposes to make dan a maintainer. */
export async function startCouncil(database: Database, { seats = 3, ...rules }: CouncilWish = {}) {
  const story = await startStory(database, { agents: COUNCILLORS });
  const { call, repoId, owner } = story;
  await call(createCouncil, { repoId, standardQuorum: 2, criticalQuorum: 3, ...rules }, { as: owner });
  for (const agent of COUNCILLORS.slice(0, seats))
    await call(takeCouncilSeat, { repoId, agent }, { as: owner });
  const council = () => call(showCouncil, { repoId }, { as: owner });
  const propose = (as: { id: string }, target: string = story.dan.id) =>
    call(createProposal, { repoId, type: 'add_maintainer', title: 'help', target }, { as });
  const vote = (as: { id: string }, proposal: { id: string }, word: 'for' | 'against' | 'abstain') =>
    call(voteOnProposal, { proposal: proposal.id, vote: word }, { as });
  return { ...story, council, propose, vote };
}
