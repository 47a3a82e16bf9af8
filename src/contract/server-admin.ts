import * as z from 'zod';
import { Agent } from './agents.ts';
import { endpoint } from './endpoint.ts';

/** The identity under which a server does what nobody asks for; made where there is none yet. */
export const ensureServer = endpoint('server.ensure_identity', () => ({
  method: 'POST',
  path: '/server/identity',
  input: z.object({}),
  output: Agent,
  internal: true,
}));

/**
 * Sees to it that a server has an administrator. `replaceKey` gives the first one this key where it has another: the
 * operator's word, which whoever can set the server's environment may always say.
 */
export const ensureAdmin = endpoint('server.ensure_admin', () => ({
  method: 'POST',
  path: '/server/admin',
  input: z.object({ apiKeyHash: z.string().length(64), replaceKey: z.boolean() }),
  output: z.object({ agent: Agent, created: z.boolean() }),
  internal: true,
}));
