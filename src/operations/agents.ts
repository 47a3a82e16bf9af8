import { shellWord } from '../base/shell-word.ts';
import * as contract from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import type { AgentRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { listOwnedRepoIds, listOwners } from '../domain/access/owners-store.ts';
import {
  findAgentByName,
  getAgentByRef,
  listAgentRows,
  toAgent,
  updateAgentRow,
} from '../domain/agents/agents-store.ts';
import { hashApiKey, newApiKey } from '../domain/agents/api-keys.ts';
import { makeAgent } from '../domain/agents/new-agent.ts';
import { findServerAgent } from '../domain/agents/server-agents-store.ts';
import { endSessions } from '../domain/agents/sessions-store.ts';
import { refreshCouncilsOf } from '../domain/councils/council-effects.ts';
import { getRepoRow } from '../domain/repos/repos-store.ts';
import { type ActingContext, openOperation, operation, query, type WriteContext } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { admitToServer, isServerAdmin, recordVoucher } from './registration.ts';

/** A receipt must not keep the key: the same request answered again shows none. */
const withoutKey = <A extends { apiKey: string }>(answer: A): A => ({ ...answer, apiKey: '' });

/** Anyone may register a plain agent; a person, or an agent that acts for an operator, is vouched for by an owner. */
const register = openOperation(contract.registerAgent, {
  on: 'none',
  remember: withoutKey,
  async run(context, input) {
    const { db, caller } = context;
    if (caller && caller.status !== 'active')
      throw new SwarmError('not_allowed', `${caller.name} is suspended.`);
    await admitToServer(context, input.invite);
    if ((input.kind === 'human' || input.operator !== undefined) && !(await isAdmin(context, caller))) {
      const what = input.kind === 'human' ? 'a person' : 'an agent with an operator';
      throw new SwarmError('not_allowed', `Only an owner of the repository registers ${what}.`, {
        fix: `gitswarm agent register ${shellWord(input.name)} --as <owner>`,
      });
    }
    if (await findAgentByName(db, input.name)) {
      throw new SwarmError('already_exists', `An agent named "${input.name}" is registered already.`, {
        fix: `gitswarm agent show ${shellWord(input.name)}`,
      });
    }
    const apiKey = newApiKey();
    const agent = await makeAgent(context, { ...input, apiKeyHash: hashApiKey(apiKey) });
    await recordVoucher(context, agent);
    return { agent: toAgent(agent), apiKey };
  },
});

const list = query(contract.listAgents, {
  on: 'none',
  needs: 'member',
  async run({ db }, input) {
    const rows = await listAgentRows(db, {
      status: input.status,
      afterName: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.name);
    return { items: page.items.map(toAgent), nextCursor: page.nextCursor };
  },
});

const show = query(contract.showAgent, {
  on: 'none',
  needs: 'member',
  run: async ({ db }, input) => toAgent(await getAgentByRef(db, input.agent)),
});

const update = operation(contract.updateAgent, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    const description = input.description ?? agent.description;
    const role = input.role === undefined ? agent.role : input.role;
    if (description === agent.description && role === agent.role) return toAgent(agent);
    return change(context, agent, { description, role }, 'agent.updated', { description, role });
  },
});

const suspend = operation(contract.suspendAgent, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    if (agent.status === 'suspended') return toAgent(agent);
    await refuseForLastOwner(context, agent);
    await endSessions(context.db, { agentId: agent.id }, context.now);
    const suspended = await change(context, agent, { status: 'suspended' }, 'agent.suspended', {
      reason: input.reason ?? null,
    });
    await refreshCouncilsOf(context, agent.id);
    return suspended;
  },
});

const resume = operation(contract.resumeAgent, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    if (agent.status === 'active') return toAgent(agent);
    const resumed = await change(context, agent, { status: 'active' }, 'agent.resumed', {});
    await refreshCouncilsOf(context, agent.id);
    return resumed;
  },
});

/** The old key stops working at once, and so does whatever was signed in to: who rotates fears that it is known. */
const rotateKey = operation(contract.rotateAgentKey, {
  on: 'none',
  needs: 'member',
  remember: withoutKey,
  async run(context, input) {
    const agent = await ownOrAdministered(context, input.agent);
    const apiKey = newApiKey();
    await endSessions(context.db, { agentId: agent.id }, context.now);
    const changed = await change(
      context,
      agent,
      { api_key_hash: hashApiKey(apiKey) },
      'agent.key_rotated',
      {},
    );
    return { agent: changed, apiKey };
  },
});

async function change(
  context: ActingContext,
  agent: AgentRow,
  changes: Partial<AgentRow>,
  type: 'agent.updated' | 'agent.suspended' | 'agent.resumed' | 'agent.key_rotated',
  data: Record<string, unknown>,
) {
  const changed = await updateAgentRow(context.db, agent.id, { ...changes, updated_at: context.now });
  context.emit({ type, subject: { type: 'agent', id: agent.id }, data: { name: agent.name, ...data } });
  return toAgent(changed);
}

/** The agent that is named, where it is the caller, was registered by the caller, or is administered by it. */
export async function ownOrAdministered(context: ActingContext, ref: string): Promise<AgentRow> {
  const agent = await getAgentByRef(context.db, ref);
  if (agent.id === context.actor.id || (await isAdmin(context, context.actor))) return agent;
  if ((await findServerAgent(context.db, agent.id))?.registered_by === context.actor.id) return agent;
  throw new SwarmError(
    'not_allowed',
    `${context.actor.name} may not change ${agent.name}: that takes an owner.`,
    {
      fix: 'Ask an owner of the repository, or act as the agent itself.',
    },
  );
}

/**
 * Whether the caller looks after all agents: at a server its administrators, elsewhere who administers the repository.
 * At a server agents belong to no repository, so those of one must not rule over them.
 */
async function isAdmin(context: WriteContext, caller: AgentRow | undefined): Promise<boolean> {
  if (caller && context.remote) return isServerAdmin(context.db, caller.id);
  if (!caller || !context.repoId) return false;
  const access = await accessOf(
    context.db,
    await getRepoRow(context.db, context.repoId),
    caller,
    context.now,
  );
  return includesLevel(access.level, 'admin');
}

/** A repository without an active owner could never be governed again. */
async function refuseForLastOwner(context: ActingContext, agent: AgentRow): Promise<void> {
  for (const repoId of await listOwnedRepoIds(context.db, agent.id)) {
    const others = (await listOwners(context.db, repoId)).filter(
      (o) => o.id !== agent.id && o.status === 'active',
    );
    if (others.length > 0) continue;
    throw new SwarmError('conflict', `${agent.name} is the last active owner of a repository.`, {
      fix: 'gitswarm repo maintainer add <agent> --role owner',
    });
  }
}

export const agentOperations = [register, list, show, update, suspend, resume, rotateKey];
