import * as z from 'zod';
import { Id, Oid } from './common.ts';
import { endpoint } from './endpoint.ts';

/** Notes which refs the remote of a repository is to have, before anyone tries to send them. */
export const intendPush = endpoint('push.intend', () => ({
  method: 'POST',
  path: '/repos/:repoId/pushes',
  input: z.object({
    repoId: Id,
    refs: z.array(z.object({ ref: z.string().max(1000), commit: Oid })).max(1000),
  }),
  output: z.object({ noted: z.number().int() }),
  internal: true,
}));

/** What became of an attempt: sent, or why not and when to try again. */
export const recordPush = endpoint('push.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/pushes/record',
  input: z.object({
    repoId: Id,
    refs: z.array(z.object({ ref: z.string().max(1000), commit: Oid })).max(1000),
    error: z.string().max(2000).nullable(),
  }),
  output: z.object({ left: z.number().int() }),
  internal: true,
}));
