import { isoTime } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/sessions.ts';
import type { Tx } from '../db/database.ts';
import type { AgentRow, DashboardSessionRow } from '../db/tables.ts';
import { getAgent, getAgentByRef, toAgent } from '../domain/agents/agents-store.ts';
import { listAdmins } from '../domain/agents/server-agents-store.ts';
import {
  endSessions,
  forgetExpired,
  insertLoginLink,
  insertSession,
  useLoginLink,
} from '../domain/agents/sessions-store.ts';
import { findKeyHolder } from './authenticate.ts';
import { openOperation, type WriteContext } from './operation.ts';

const LINK_HOLDS_MS = 15 * 60_000;
const SESSION_HOLDS_MS = 7 * 24 * 60 * 60_000;

const offerLink = openOperation(contract.offerLoginLink, {
  on: 'none',
  async run({ db, clock, now }, input) {
    const agent = input.agent === undefined ? await firstAdmin(db) : await getAgentByRef(db, input.agent);
    requireActive(agent);
    await forgetExpired(db, now);
    const expiresAt = isoTime(clock.now() + LINK_HOLDS_MS);
    await insertLoginLink(db, {
      id: newId(clock.now()),
      agent_id: agent.id,
      token_hash: input.linkHash,
      created_at: now,
      expires_at: expiresAt,
      used_at: null,
    });
    return { agent: toAgent(agent), expiresAt };
  },
});

const open = openOperation(contract.openSession, {
  on: 'none',
  async run(context, input) {
    const { db, clock, now } = context;
    const { agent, keyHash, until } = await provenBy(context, input.proof);
    requireActive(agent);
    await forgetExpired(db, now);
    if (input.replaces !== undefined) await end(context, input.replaces);
    const latest = isoTime(clock.now() + SESSION_HOLDS_MS);
    const row: DashboardSessionRow = {
      id: newId(clock.now()),
      agent_id: agent.id,
      token_hash: input.tokenHash,
      key_hash: keyHash,
      created_at: now,
      // A session must not outlive the key that it came from.
      expires_at: until !== null && until < latest ? until : latest,
      ended_at: null,
    };
    await insertSession(db, row);
    context.emit({
      type: 'agent.signed_in',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, sessionId: row.id, by: input.proof.kind },
    });
    return { agent: toAgent(agent), expiresAt: row.expires_at };
  },
});

const close = openOperation(contract.endSession, {
  on: 'none',
  async run(context, input) {
    await end(context, input.tokenHash);
    return {};
  },
});

interface Proven {
  agent: AgentRow;
  keyHash: string | null;
  until: string | null;
}

async function provenBy(
  { db, now }: WriteContext,
  { kind, hash }: { kind: 'link' | 'key'; hash: string },
): Promise<Proven> {
  if (kind === 'key') {
    const holder = await findKeyHolder(db, hash, now);
    if (holder) return { agent: holder.agent, keyHash: hash, until: holder.expiresAt };
    throw new SwarmError('unauthenticated', 'The key is not valid: unknown, expired or revoked.', {
      fix: 'Paste a key of a registered agent, "gsw_…", without anything around it.',
    });
  }
  const link = await useLoginLink(db, hash, now);
  if (link) return { agent: await getAgent(db, link.agent_id), keyHash: null, until: null };
  throw new SwarmError('unauthenticated', 'The link has been used, has expired, or never was one.', {
    fix: 'Sign in with a key, or have a new link made where the server runs: gitswarm server login-link',
  });
}

/** What follows the log looks at its credentials again when it reads this event, at every server. */
async function end(context: WriteContext, tokenHash: string): Promise<void> {
  for (const row of await endSessions(context.db, { tokenHash }, context.now)) {
    const agent = await getAgent(context.db, row.agent_id);
    context.emit({
      type: 'agent.signed_out',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, sessionId: row.id },
    });
  }
}

async function firstAdmin(db: Tx): Promise<AgentRow> {
  const [admin] = await listAdmins(db);
  if (admin) return getAgent(db, admin.agent_id);
  throw new SwarmError('not_found', 'This server has no administrator yet.', {
    fix: 'Start it once: gitswarm server',
  });
}

/** Nobody signs in as a council, which acts only where it has decided, or as the server itself. */
function requireActive(agent: AgentRow): void {
  const isNobody = agent.council_id !== null;
  if (agent.status === 'active' && !isNobody) return;
  const why = isNobody ? 'is no one who signs in' : 'is suspended';
  throw new SwarmError('not_allowed', `${agent.name} ${why}.`);
}

export const sessionOperations = [offerLink, open, close];
