import * as z from 'zod';
import { Agent } from './agents.ts';
import { Id, PageInput, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** A change of an agent's karma and what it was for. */
export const KarmaEntry = z.object({
  id: Id,
  amount: z.number().int(),
  reason: z.string(),
  subjectId: Id.nullable(),
  createdAt: Time,
});
export type KarmaEntry = z.infer<typeof KarmaEntry>;

/** What became of an agent's verdicts in a repository. */
export const ReviewerStats = z.object({
  total: z.number().int(),
  approvals: z.number().int(),
  rejections: z.number().int(),
  confirmed: z.number().int(),
  refuted: z.number().int(),
  /** (confirmed + 1) / (confirmed + refuted + 2): one half where nothing is known. */
  accuracy: z.number(),
});
export type ReviewerStats = z.infer<typeof ReviewerStats>;

/** An agent's karma with its rows, newest first, and its record as a reviewer. Without `agent` the caller's. */
export const showKarma = endpoint('karma.show', () => ({
  method: 'GET',
  path: '/repos/:repoId/karma',
  input: z.object({ repoId: Id, agent: Ref.optional(), ...PageInput }),
  output: z.object({
    agent: Agent,
    karma: z.number().int(),
    /** What a verdict of this agent weighs where everybody decides. */
    openWeight: z.number(),
    reviewer: ReviewerStats,
    items: z.array(KarmaEntry),
    nextCursor: z.string().nullable(),
  }),
}));
