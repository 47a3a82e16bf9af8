import * as z from 'zod';
import { Agent } from './agents.ts';
import { Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** SHA-256 in hex: secrets are made where they are handed out, and only this is passed on and kept. */
const Hash = z.string().length(64);

/** Lets an agent sign in at the dashboard once, within a quarter of an hour. Without a name: the first administrator. */
export const offerLoginLink = endpoint('session.offer_link', () => ({
  method: 'POST',
  path: '/sessions/links',
  input: z.object({ agent: Ref.optional(), linkHash: Hash }),
  output: z.object({ agent: Agent, expiresAt: Time }),
  internal: true,
}));

/** Opens a session for whoever brings a login link or a key, and ends the one that it takes the place of. */
export const openSession = endpoint('session.open', () => ({
  method: 'POST',
  path: '/sessions',
  input: z.object({
    tokenHash: Hash,
    proof: z.object({ kind: z.enum(['link', 'key']), hash: Hash }),
    replaces: Hash.optional(),
  }),
  output: z.object({ agent: Agent, expiresAt: Time }),
  internal: true,
}));

/** Ends a session. One that has ended, or never was, is no error: afterwards there is none. */
export const endSession = endpoint('session.end', () => ({
  method: 'POST',
  path: '/sessions/end',
  input: z.object({ tokenHash: Hash }),
  output: z.object({}),
  internal: true,
}));
