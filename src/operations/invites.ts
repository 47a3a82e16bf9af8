import { newId, randomHex } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/invites.ts';
import type { InviteRow } from '../db/tables.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { findInvite, insertInvite, listInviteRows, revokeInvite } from '../domain/agents/invites-store.ts';
import { operation, query, type ReadContext } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { isServerAdmin } from './registration.ts';

const create = operation(contract.createInvite, {
  on: 'none',
  needs: 'member',
  // A receipt must not keep the token: the same request answered again shows none.
  remember: (answer) => ({ ...answer, token: '' }),
  async run(context, input) {
    await refuseOthers(context);
    if (input.expiresAt !== null && input.expiresAt <= context.now)
      throw new SwarmError('invalid', `An invite cannot expire in the past (${input.expiresAt}).`);
    const token = `gsi_${randomHex(32)}`;
    const row: InviteRow = {
      id: newId(context.clock.now()),
      token_hash: hashApiKey(token),
      note: input.note ?? '',
      uses_left: input.uses,
      created_by: context.actor.id,
      created_at: context.now,
      expires_at: input.expiresAt,
      revoked_at: null,
    };
    await insertInvite(context.db, row);
    return { invite: toInvite(row), token };
  },
});

const list = query(contract.listInvites, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    await refuseOthers(context);
    const rows = await listInviteRows(context.db, {
      afterId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toInvite), nextCursor: page.nextCursor };
  },
});

const revoke = operation(contract.revokeInvite, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    await refuseOthers(context);
    const row = await findInvite(context.db, input.inviteId);
    if (!row) throw new SwarmError('not_found', `There is no invite ${input.inviteId}.`);
    if (row.revoked_at !== null) return toInvite(row);
    await revokeInvite(context.db, row.id, context.now);
    return toInvite({ ...row, revoked_at: context.now });
  },
});

/** Invites are the server's: only its administrators see and make them. */
async function refuseOthers({ db, caller }: ReadContext): Promise<void> {
  if (caller && (await isServerAdmin(db, caller.id))) return;
  throw new SwarmError('not_allowed', 'Only an administrator of the server deals with invites.');
}

function toInvite(row: InviteRow): contract.Invite {
  return {
    id: row.id,
    note: row.note,
    usesLeft: row.uses_left,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

export const inviteOperations = [create, list, revoke];
