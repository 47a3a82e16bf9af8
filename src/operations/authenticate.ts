import { isoTime } from '../base/clock.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import { findAgent, getAgentByRef } from '../domain/agents/agents-store.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { findAgentByKeyHash, findApiKeyByHash } from '../domain/agents/api-keys-store.ts';
import { findServerAgent } from '../domain/agents/server-agents-store.ts';
import { isServer } from '../domain/agents/server-identity.ts';
import { findOpenSession } from '../domain/agents/sessions-store.ts';
import { mayCarryOut } from './council-identity.ts';
import type { Kernel } from './execute.ts';

/** What a caller shows to say who it is: a key, or the secret in the cookie of the dashboard. */
export interface Credential {
  kind: 'key' | 'session';
  secret: string;
}

/** Whom a credential stands for. */
export interface Authenticated {
  agent: AgentRow;
  /** Names the key, or the sessions of an agent, without telling it: what limits and open sockets are counted by. */
  keyHash: string;
  mayRegister: boolean;
  /** What was shown: whoever stays connected has it looked at again. */
  credential: Credential;
}

/** Ours are longer; an operator may have chosen the first administrator's. */
const KEY = /^[\x21-\x7e]{20,300}$/;
const SESSION = /^gss_[0-9a-f]{64}$/;

/**
 * The agent behind a key. Only hashes are compared, by the database's index, so the time it takes tells nothing of a
 * key. Throws unauthenticated for whatever is no valid key.
 */
export async function authenticate({ database, clock }: Kernel, apiKey: string): Promise<Authenticated> {
  if (KEY.test(apiKey)) {
    const keyHash = hashApiKey(apiKey);
    const holder = await findKeyHolder(database.view, keyHash, isoTime(clock.now()));
    const credential: Credential = { kind: 'key', secret: apiKey };
    if (holder) return { agent: holder.agent, keyHash, mayRegister: holder.mayRegister, credential };
  }
  throw new SwarmError('unauthenticated', 'The key is not valid: unknown, expired or revoked.', {
    fix: 'Send "Authorization: Bearer gsw_…" with a key of a registered agent.',
  });
}

/**
 * The agent that is signed in. A suspended agent is not, whatever its row of the session says. Throws unauthenticated
 * for whatever is no session that goes on.
 */
export async function authenticateSession(
  { database, clock }: Kernel,
  token: string,
): Promise<Authenticated> {
  const now = isoTime(clock.now());
  const session = SESSION.test(token)
    ? await findOpenSession(database.view, hashApiKey(token), now)
    : undefined;
  const agent = session && (await findAgent(database.view, session.agent_id));
  if (agent?.status === 'active') {
    // Counted together: signing in again and again must not raise anyone's limits.
    const keyHash = `sessions of ${agent.id}`;
    return { agent, keyHash, mayRegister: false, credential: { kind: 'session', secret: token } };
  }
  throw new SwarmError('unauthenticated', 'You are not signed in, or not any more.', {
    fix: 'Sign in again: /login',
  });
}

/** Whom a key belongs to, by its hash, and until when; undefined where it is unknown, expired or revoked. */
export async function findKeyHolder(
  db: Db,
  keyHash: string,
  now: string,
): Promise<{ agent: AgentRow; mayRegister: boolean; expiresAt: string | null } | undefined> {
  const own = await findAgentByKeyHash(db, keyHash);
  if (own && !isServer(own)) return { agent: own, mayRegister: false, expiresAt: null };
  const key = await findApiKeyByHash(db, keyHash);
  if (!key || key.revoked_at !== null || (key.expires_at !== null && key.expires_at <= now)) return undefined;
  const agent = await findAgent(db, key.agent_id);
  // What the server does by itself it does without a key, and nobody else does it.
  if (!agent || isServer(agent)) return undefined;
  return { agent, mayRegister: key.may_register === 1, expiresAt: key.expires_at };
}

/**
 * Who acts where a request names an agent: the caller itself, an agent it registered with a key that lets it, or, where
 * it carries out what a council decided, that council. The name may be anything that means the agent.
 */
export async function actingAgent(
  kernel: Kernel,
  who: Authenticated,
  { name, toWrite }: { name: string; toWrite: boolean },
): Promise<AgentRow> {
  if (name === who.agent.id) return who.agent;
  const named = await findNamed(kernel, name);
  if (named?.id === who.agent.id) return who.agent;
  const isOwn =
    named && (await findServerAgent(kernel.database.read, named.id))?.registered_by === who.agent.id;
  if (named && isOwn && who.mayRegister) return named;
  // A council decides on changes: what it may see is no concern of those who carry them out.
  if (named && toWrite && (await mayCarryOut(kernel, who.agent, named))) return named;
  const other = named?.name ?? `"${name}"`;
  throw new SwarmError(
    'not_allowed',
    `The key of ${who.agent.name} may act only as itself, not as ${other}.`,
    {
      fix: `Send the key of ${other} (on the command line: GITSWARM_TOKEN=<its key>), or name nobody.`,
    },
  );
}

async function findNamed({ database }: Kernel, name: string): Promise<AgentRow | undefined> {
  try {
    return await getAgentByRef(database.read, name);
  } catch (error) {
    if (isSwarmError(error, 'not_found') || isSwarmError(error, 'ambiguous')) return undefined;
    throw error;
  }
}
