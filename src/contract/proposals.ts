import * as z from 'zod';
import { Id, line, Oid, PageInput, Priority, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { AccessLevel } from './repos.ts';

export const ProposalType = z.enum([
  'add_maintainer',
  'remove_maintainer',
  'modify_access',
  'change_settings',
  'merge_stream',
  'revert_stream',
  'reorder_queue',
  'promote',
]);
export type ProposalType = z.infer<typeof ProposalType>;

export const ProposalTier = z.enum(['standard', 'critical']);
export const ProposalStatus = z.enum(['open', 'passed', 'rejected', 'expired', 'withdrawn']);
export type ProposalStatus = z.infer<typeof ProposalStatus>;
export const CouncilVote = z.enum(['for', 'against', 'abstain']);
export type CouncilVote = z.infer<typeof CouncilVote>;

/** What a proposal of each type asks for, besides its target. Keys nobody asked for are mistakes. */
export const proposalData = {
  add_maintainer: z.strictObject({ agent: Ref }),
  remove_maintainer: z.strictObject({ agent: Ref }),
  /** `level: null` takes the grant back. */
  modify_access: z.strictObject({
    agent: Ref,
    level: AccessLevel.nullable(),
    expiresAt: Time.nullable().default(null),
  }),
  change_settings: z.strictObject({ changes: z.record(z.string(), z.unknown()) }),
  merge_stream: z.strictObject({ stream: Ref, priority: Priority.optional() }),
  revert_stream: z.strictObject({ stream: Ref, reason: line(500).optional() }),
  reorder_queue: z.strictObject({
    stream: Ref,
    priority: Priority.optional(),
    first: z.boolean().default(false),
  }),
  promote: z.strictObject({ tag: line(255).optional() }),
} satisfies Record<ProposalType, z.ZodType>;

/** What became of carrying out: `result` is what the operation or workflow answered. */
export const Execution = z.object({ ok: z.boolean(), result: z.record(z.string(), z.unknown()) });
export type Execution = z.infer<typeof Execution>;

export const Proposal = z.object({
  id: Id,
  handle: z.string(),
  repoId: Id,
  councilId: Id,
  type: ProposalType,
  tier: ProposalTier,
  title: z.string(),
  description: z.string(),
  data: z.record(z.string(), z.unknown()),
  status: ProposalStatus,
  proposedBy: Id,
  proposedByName: z.string(),
  votesFor: z.number().int(),
  votesAgainst: z.number().int(),
  votesAbstain: z.number().int(),
  votes: z.array(
    z.object({ agentId: Id, agentName: z.string(), vote: CouncilVote, comment: z.string(), votedAt: Time }),
  ),
  quorumRequired: z.number().int(),
  /** What carrying it out was fixed to when it was begun. */
  plan: z.record(z.string(), z.unknown()).nullable(),
  executed: z.boolean(),
  executedAt: Time.nullable(),
  execution: Execution.nullable(),
  expiresAt: Time,
  proposedAt: Time,
  resolvedAt: Time.nullable(),
});
export type Proposal = z.infer<typeof Proposal>;

/** `target` is the agent or the stream that the type is about; it may stand in `data` instead. */
export const createProposal = endpoint('proposal.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/council/proposals',
  input: z.object({
    repoId: Id,
    type: ProposalType,
    title: line(500),
    description: prose(10_000).default(''),
    target: Ref.optional(),
    data: z.record(z.string(), z.unknown()).default({}),
  }),
  output: Proposal,
}));

export const listProposals = endpoint('proposal.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/council/proposals',
  input: z.object({
    repoId: Id,
    ...PageInput,
    status: ProposalStatus.optional(),
    /** Passed, and not carried out yet. */
    pending: z.boolean().optional(),
  }),
  output: page(Proposal),
}));

export const showProposal = endpoint('proposal.show', () => ({
  method: 'GET',
  path: '/proposals/:proposal',
  input: z.object({ proposal: Ref }),
  output: Proposal,
}));

/** One vote for each member, who may change it while the proposal is open. */
export const voteOnProposal = endpoint('proposal.vote', () => ({
  method: 'POST',
  path: '/proposals/:proposal/vote',
  input: z.object({ proposal: Ref, vote: CouncilVote, comment: prose(5000).default('') }),
  output: Proposal,
}));

export const withdrawProposal = endpoint('proposal.withdraw', () => ({
  method: 'DELETE',
  path: '/proposals/:proposal',
  input: z.object({ proposal: Ref }),
  output: Proposal,
}));

/** What carrying out a proposal was fixed to, so that going on after a crash does the same thing and not another. */
export const ProposalPlan = z.object({
  head: Oid.optional(),
  mergeId: Id.optional(),
  toCommit: Oid.optional(),
});
export type ProposalPlan = z.infer<typeof ProposalPlan>;

/** Says that a passed proposal is being carried out; the first plan stays. Answers who acts for the council. */
export const beginProposal = endpoint('proposal.begin', () => ({
  method: 'POST',
  path: '/proposals/:proposal/begin',
  input: z.object({ proposal: Ref, plan: ProposalPlan }),
  output: z.object({ proposal: Proposal, plan: ProposalPlan, councilAgentId: Id }),
  internal: 'clone',
}));

/** Ends the carrying out, once. */
export const recordExecution = endpoint('proposal.record_execution', () => ({
  method: 'POST',
  path: '/proposals/:proposal/execution',
  input: z.object({ proposal: Ref, execution: Execution }),
  output: Proposal,
  internal: 'clone',
}));
