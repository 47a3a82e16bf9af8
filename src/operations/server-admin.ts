import { ensureAdmin, ensureServer } from '../contract/server-admin.ts';
import type { Tx } from '../db/database.ts';
import {
  findAgentByName,
  findServerIdentity,
  getAgent,
  toAgent,
  updateAgentRow,
} from '../domain/agents/agents-store.ts';
import { makeAgent } from '../domain/agents/new-agent.ts';
import { insertServerAgent, listAdmins } from '../domain/agents/server-agents-store.ts';
import { SERVER } from '../domain/agents/server-identity.ts';
import { endSessions } from '../domain/agents/sessions-store.ts';
import { openOperation } from './operation.ts';

const ensure = openOperation(ensureAdmin, {
  on: 'none',
  async run(context, input) {
    const { db, now, emit } = context;
    const [known] = await listAdmins(db);
    if (known) {
      const agent = await getAgent(db, known.agent_id);
      if (!input.replaceKey || agent.api_key_hash === input.apiKeyHash)
        return { agent: toAgent(agent), created: false };
      await endSessions(db, { agentId: agent.id }, now);
      const changed = await updateAgentRow(db, agent.id, { api_key_hash: input.apiKeyHash, updated_at: now });
      emit({
        type: 'agent.key_rotated',
        subject: { type: 'agent', id: agent.id },
        data: { name: agent.name },
      });
      return { agent: toAgent(changed), created: false };
    }
    const agent = await makeAgent(context, {
      name: await freeName(db, 'admin'),
      kind: 'human',
      description: 'Administers this server.',
      apiKeyHash: input.apiKeyHash,
    });
    await insertServerAgent(db, { agent_id: agent.id, is_admin: 1, registered_by: null, created_at: now });
    return { agent: toAgent(agent), created: true };
  },
});

const ensureIdentity = openOperation(ensureServer, {
  on: 'none',
  async run(context) {
    const known = await findServerIdentity(context.db);
    if (known) return toAgent(known);
    const name = await freeName(context.db, 'gitswarm-server');
    const description = 'Does what is due in the repositories of this server.';
    return toAgent(await makeAgent(context, { name, kind: 'agent', description, councilId: SERVER }));
  },
});

/** `admin`, or the first of `admin-2`, `admin-3` … that nobody is called. */
async function freeName(db: Tx, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (!(await findAgentByName(db, name))) return name;
  }
}

export const serverAdminOperations = [ensure, ensureIdentity];
