import * as z from 'zod';
import { Agent } from './agents.ts';
import { PageInput, page } from './common.ts';
import { endpoint } from './endpoint.ts';
import { SwarmEvent } from './events.ts';
import { Claim, ClaimStatus } from './tasks.ts';

/** Who asks. */
export const showMe = endpoint('me.show', () => ({
  method: 'GET',
  path: '/me',
  input: z.object({}),
  output: z.object({ agent: Agent, isServerAdmin: z.boolean() }),
}));

export const listMyClaims = endpoint('me.claims', () => ({
  method: 'GET',
  path: '/me/claims',
  input: z.object({ ...PageInput, status: ClaimStatus.optional() }),
  output: page(Claim),
}));

/**
 * What has happened in all repositories the caller may read, and to the caller. Newest first without `after`; oldest
 * first after that cursor with it.
 */
export const listActivity = endpoint('me.activity', () => ({
  method: 'GET',
  path: '/activity',
  input: z.object({
    ...PageInput,
    type: z.string().max(100).optional(),
    after: z.string().max(500).optional(),
  }),
  output: page(SwarmEvent),
}));
