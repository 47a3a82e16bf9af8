import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/keys.ts';
import type { ApiKeyRow } from '../db/tables.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { hashApiKey, newApiKey } from '../domain/agents/api-keys.ts';
import { findApiKey, insertApiKey, listApiKeyRows, revokeApiKey } from '../domain/agents/api-keys-store.ts';
import { endSessions } from '../domain/agents/sessions-store.ts';
import { ownOrAdministered } from './agents.ts';
import { operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { isServerAdmin } from './registration.ts';

const list = query(contract.listKeys, {
  on: 'none',
  needs: 'member',
  async run({ db, caller }, input) {
    const agent = await getAgentByRef(db, input.agent);
    if (caller && agent.id !== caller.id && !(await isServerAdmin(db, caller.id)))
      throw new SwarmError('not_allowed', `${caller.name} may not see the keys of ${agent.name}.`);
    const rows = await listApiKeyRows(db, {
      agentId: agent.id,
      afterId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toApiKey), nextCursor: page.nextCursor };
  },
});

const create = operation(contract.createKey, {
  on: 'none',
  needs: 'member',
  // A receipt must not keep the key: the same request answered again shows none.
  remember: (answer) => ({ ...answer, apiKey: '' }),
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    if (input.mayRegister && !(await isServerAdmin(context.db, context.actor.id)))
      throw new SwarmError('not_allowed', 'Only an administrator gives out keys that register agents.');
    if (input.expiresAt !== null && input.expiresAt <= context.now)
      throw new SwarmError('invalid', `A key cannot expire in the past (${input.expiresAt}).`);
    const apiKey = newApiKey();
    const row: ApiKeyRow = {
      id: newId(context.clock.now()),
      agent_id: agent.id,
      key_hash: hashApiKey(apiKey),
      name: input.name,
      may_register: input.mayRegister ? 1 : 0,
      created_by: context.actor.id,
      created_at: context.now,
      expires_at: input.expiresAt,
      revoked_at: null,
    };
    await insertApiKey(context.db, row);
    context.emit({
      type: 'agent.key_added',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, keyId: row.id, key: row.name },
    });
    return { key: toApiKey(row), apiKey };
  },
});

const revoke = operation(contract.revokeKey, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    const row = await findApiKey(context.db, input.keyId);
    if (row?.agent_id !== agent.id)
      throw new SwarmError('not_found', `${agent.name} has no key ${input.keyId}.`);
    if (row.revoked_at !== null) return toApiKey(row);
    await revokeApiKey(context.db, row.id, context.now);
    await endSessions(context.db, { keyHash: row.key_hash }, context.now);
    context.emit({
      type: 'agent.key_revoked',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, keyId: row.id, key: row.name },
    });
    return toApiKey({ ...row, revoked_at: context.now });
  },
});

function toApiKey(row: ApiKeyRow): contract.ApiKey {
  return {
    id: row.id,
    agentId: row.agent_id,
    name: row.name,
    mayRegister: row.may_register === 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

export const keyOperations = [list, create, revoke];
