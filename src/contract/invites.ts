import * as z from 'zod';
import { Id, line, PageInput, page, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** Lets so many agents register themselves at a server, without its token. */
export const Invite = z.object({
  id: Id,
  note: z.string(),
  usesLeft: z.number().int(),
  createdBy: Id,
  createdAt: Time,
  expiresAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
export type Invite = z.infer<typeof Invite>;

/** The token is shown this once; only its hash is stored. */
export const createInvite = endpoint('invite.create', () => ({
  method: 'POST',
  path: '/invites',
  input: z.object({
    note: line(200).optional(),
    uses: z.number().int().min(1).max(10_000).default(1),
    expiresAt: Time.nullable().default(null),
  }),
  output: z.object({ invite: Invite, token: z.string() }),
}));

export const listInvites = endpoint('invite.list', () => ({
  method: 'GET',
  path: '/invites',
  input: z.object({ ...PageInput }),
  output: page(Invite),
}));

export const revokeInvite = endpoint('invite.revoke', () => ({
  method: 'DELETE',
  path: '/invites/:inviteId',
  input: z.object({ inviteId: Id }),
  output: Invite,
}));
