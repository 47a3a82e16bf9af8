import { isoTime } from '../base/clock.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { AgentRow } from '../db/tables.ts';
import { findAgent, getAgentByRef } from '../domain/agents/agents-store.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { findAgentByKeyHash, findApiKeyByHash } from '../domain/agents/api-keys-store.ts';
import { findServerAgent } from '../domain/agents/server-agents-store.ts';
import type { Kernel } from './execute.ts';

/** Whom a key stands for. */
export interface Authenticated {
  agent: AgentRow;
  /** Names the key without telling it: what limits and open sockets are counted by. */
  keyHash: string;
  mayRegister: boolean;
}

/** Ours are longer; an operator may have chosen the first administrator's. */
const KEY = /^[\x21-\x7e]{20,300}$/;

/**
 * The agent behind a key. Only hashes are compared, by the database's index, so the time it takes tells nothing of a
 * key. Throws unauthenticated for whatever is no valid key.
 */
export async function authenticate({ database, clock }: Kernel, apiKey: string): Promise<Authenticated> {
  if (KEY.test(apiKey)) {
    const keyHash = hashApiKey(apiKey);
    const own = await findAgentByKeyHash(database.view, keyHash);
    if (own) return { agent: own, keyHash, mayRegister: false };
    const further = await findApiKeyByHash(database.view, keyHash);
    const now = isoTime(clock.now());
    if (further && further.revoked_at === null && (further.expires_at === null || further.expires_at > now)) {
      const agent = await findAgent(database.view, further.agent_id);
      if (agent) return { agent, keyHash, mayRegister: further.may_register === 1 };
    }
  }
  throw new SwarmError('unauthenticated', 'The key is not valid: unknown, expired or revoked.', {
    fix: 'Send "Authorization: Bearer gsw_…" with a key of a registered agent.',
  });
}

/**
 * Who acts where a request names an agent: the caller itself, or an agent it registered with a key that lets it. The
 * name may be anything that means the agent.
 */
export async function actingAgent(kernel: Kernel, who: Authenticated, name: string): Promise<AgentRow> {
  if (name === who.agent.id) return who.agent;
  const named = await findNamed(kernel, name);
  if (named?.id === who.agent.id) return who.agent;
  const isOwn =
    named && (await findServerAgent(kernel.database.read, named.id))?.registered_by === who.agent.id;
  if (named && isOwn && who.mayRegister) return named;
  throw new SwarmError('not_allowed', `${who.agent.name} may act only as itself, not as "${name}".`, {
    fix: 'Leave the agent out of the request, or send the key of that agent.',
  });
}

async function findNamed({ database }: Kernel, name: string): Promise<AgentRow | undefined> {
  try {
    return await getAgentByRef(database.read, name);
  } catch (error) {
    if (isSwarmError(error, 'not_found') || isSwarmError(error, 'ambiguous')) return undefined;
    throw error;
  }
}
