import * as z from 'zod';
import { Id, PageInput, page, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

export const CouncilStatus = z.enum(['forming', 'active', 'dissolved']);
export type CouncilStatus = z.infer<typeof CouncilStatus>;
export const CouncilRole = z.enum(['chair', 'member']);

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

const settings = {
  /** What later seats ask for; the owner may seat the first `minMembers` without it. */
  minKarma: whole(0, 1_000_000_000),
  minContributions: whole(0, 1_000_000),
  minMembers: whole(1, 100),
  maxMembers: whole(1, 100),
  standardQuorum: whole(1, 100),
  criticalQuorum: whole(1, 100),
  termLimitMonths: whole(1, 120),
  electionIntervalDays: whole(1, 3650),
};
export const CouncilSettings = z.object(settings);
export type CouncilSettings = z.infer<typeof CouncilSettings>;

export const CouncilMember = z.object({
  agentId: Id,
  agentName: z.string(),
  role: CouncilRole,
  /** founding: seated by an owner without the gate; joined: passed it; elected. */
  reason: z.enum(['founding', 'joined', 'elected']),
  seatedBy: Id.nullable(),
  votesCast: z.number().int(),
  proposalsMade: z.number().int(),
  joinedAt: Time,
  termExpiresAt: Time,
});
export type CouncilMember = z.infer<typeof CouncilMember>;

/** The body that decides what reviews do not. */
export const Council = z.object({
  id: Id,
  repoId: Id,
  status: CouncilStatus,
  settings: CouncilSettings,
  seated: z.number().int(),
  /** What a vote needs now: the configured quorum, no more than are seated, no less than a majority of them. */
  quorum: z.object({ standard: z.number().int(), critical: z.number().int() }),
  members: z.array(CouncilMember),
  openProposals: z.number().int(),
  nextElectionDue: Time.nullable(),
  createdAt: Time,
});
export type Council = z.infer<typeof Council>;

export const createCouncil = endpoint('council.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/council',
  input: z.object({
    repoId: Id,
    minKarma: settings.minKarma.default(50),
    minContributions: settings.minContributions.default(3),
    minMembers: settings.minMembers.default(3),
    maxMembers: settings.maxMembers.default(11),
    standardQuorum: settings.standardQuorum.default(3),
    criticalQuorum: settings.criticalQuorum.default(5),
    termLimitMonths: settings.termLimitMonths.default(6),
    electionIntervalDays: settings.electionIntervalDays.default(90),
  }),
  output: Council,
}));

export const showCouncil = endpoint('council.show', () => ({
  method: 'GET',
  path: '/repos/:repoId/council',
  input: z.object({ repoId: Id }),
  output: Council,
}));

export const setCouncil = endpoint('council.set', () => ({
  method: 'PATCH',
  path: '/repos/:repoId/council',
  input: z.object({ repoId: Id, ...CouncilSettings.partial().shape }),
  output: Council,
}));

export const dissolveCouncil = endpoint('council.dissolve', () => ({
  method: 'DELETE',
  path: '/repos/:repoId/council',
  input: z.object({ repoId: Id }),
  output: Council,
}));

export const listCouncilMembers = endpoint('council.members', () => ({
  method: 'GET',
  path: '/repos/:repoId/council/members',
  input: z.object({ repoId: Id, ...PageInput }),
  output: page(CouncilMember),
}));

/** Takes a seat; with `agent`, an owner gives it to somebody. */
export const takeCouncilSeat = endpoint('council.seat', () => ({
  method: 'POST',
  path: '/repos/:repoId/council/members',
  input: z.object({ repoId: Id, agent: Ref.optional(), role: CouncilRole.optional() }),
  output: Council,
}));

/** Leaves a seat; an owner may take it from somebody. */
export const leaveCouncilSeat = endpoint('council.unseat', () => ({
  method: 'DELETE',
  path: '/repos/:repoId/council/members/:agent',
  input: z.object({ repoId: Id, agent: Ref }),
  output: Council,
}));
