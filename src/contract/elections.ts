import * as z from 'zod';
import { Id, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

export const ElectionStatus = z.enum(['nominations', 'voting', 'completed', 'cancelled']);
export type ElectionStatus = z.infer<typeof ElectionStatus>;

export const Candidate = z.object({
  agentId: Id,
  agentName: z.string(),
  nominatedBy: Id,
  statement: z.string(),
  status: z.enum(['nominated', 'accepted', 'elected', 'not_elected']),
  votes: z.number().int(),
  nominatedAt: Time,
  acceptedAt: Time.nullable(),
});
export type Candidate = z.infer<typeof Candidate>;

/** A vote on seats of the council. */
export const Election = z.object({
  id: Id,
  handle: z.string(),
  repoId: Id,
  councilId: Id,
  seats: z.number().int(),
  status: ElectionStatus,
  candidates: z.array(Candidate),
  votesCast: z.number().int(),
  nominationsEndAt: Time.nullable(),
  votingEndAt: Time.nullable(),
  createdBy: Id,
  createdAt: Time,
  endedAt: Time.nullable(),
});
export type Election = z.infer<typeof Election>;

/** Without times its phases are ended by hand; with them `tick` ends them. */
export const startElection = endpoint('election.start', () => ({
  method: 'POST',
  path: '/repos/:repoId/council/elections',
  input: z.object({
    repoId: Id,
    seats: z.number().int().min(1).max(100).default(1),
    nominationsEndAt: Time.nullable().default(null),
    votingEndAt: Time.nullable().default(null),
  }),
  output: Election,
}));

export const listElections = endpoint('election.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/council/elections',
  input: z.object({ repoId: Id, ...PageInput, status: ElectionStatus.optional() }),
  output: page(Election),
}));

export const showElection = endpoint('election.show', () => ({
  method: 'GET',
  path: '/elections/:election',
  input: z.object({ election: Ref }),
  output: Election,
}));

/** Who nominates themselves has accepted. */
export const nominate = endpoint('election.nominate', () => ({
  method: 'POST',
  path: '/elections/:election/nominate',
  input: z.object({ election: Ref, agent: Ref.optional(), statement: prose(5000).default('') }),
  output: Election,
}));

export const acceptNomination = endpoint('election.accept', () => ({
  method: 'POST',
  path: '/elections/:election/accept',
  input: z.object({ election: Ref, statement: prose(5000).optional() }),
  output: Election,
}));

export const startVoting = endpoint('election.start_voting', () => ({
  method: 'POST',
  path: '/elections/:election/start-voting',
  input: z.object({ election: Ref }),
  output: Election,
}));

/** One vote for each elector, who may change it while the vote is open. */
export const voteInElection = endpoint('election.vote', () => ({
  method: 'POST',
  path: '/elections/:election/vote',
  input: z.object({ election: Ref, candidate: Ref }),
  output: Election,
}));

export const completeElection = endpoint('election.complete', () => ({
  method: 'POST',
  path: '/elections/:election/complete',
  input: z.object({ election: Ref }),
  output: Election,
}));

export const cancelElection = endpoint('election.cancel', () => ({
  method: 'POST',
  path: '/elections/:election/cancel',
  input: z.object({ election: Ref }),
  output: Election,
}));
