import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/repos.ts';
import type { AccessGrantRow, AgentRow, RepoRow } from '../db/tables.ts';
import {
  accessOf,
  deleteGrant,
  findMaintainer,
  listGrantRows,
  upsertGrant,
} from '../domain/access/access-store.ts';
import { listTrust, NORMAL_TRUST, setTrust } from '../domain/access/trust-store.ts';
import { getAgent, getAgentByRef, toAgent } from '../domain/agents/agents-store.ts';
import { rowsAfter } from './maintainers.ts';
import { operation, query, type ReadContext } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const grant = operation(contract.grantAccess, {
  on: 'repo',
  needs: 'admin',
  async run({ db, actor, repo, now, emit }, input) {
    if (input.expiresAt !== null && input.expiresAt <= now) {
      throw new SwarmError('invalid', `A grant cannot expire in the past (${input.expiresAt}).`);
    }
    const agent = await getAgentByRef(db, input.agent);
    const row: AccessGrantRow = {
      repo_id: repo.id,
      agent_id: agent.id,
      level: input.level,
      granted_by: actor.id,
      expires_at: input.expiresAt,
      created_at: now,
    };
    await upsertGrant(db, row);
    emit({
      type: 'access.granted',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, level: input.level, expiresAt: input.expiresAt },
    });
    const stored = (await listGrantRows(db, repo.id)).find((other) => other.agent_id === agent.id) ?? row;
    return { agent: toAgent(agent), ...grantFields(stored) };
  },
});

const revoke = operation(contract.revokeAccess, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo, emit }, input) {
    const agent = await getAgentByRef(db, input.agent);
    const revoked = await deleteGrant(db, repo.id, agent.id);
    if (revoked) {
      emit({ type: 'access.revoked', subject: { type: 'agent', id: agent.id }, data: { name: agent.name } });
    }
    return { revoked };
  },
});

const list = query(contract.listAccess, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo }, input) {
    const rows = rowsAfter(await listGrantRows(db, repo.id), decodeCursor(input.cursor), input.limit + 1);
    const page = nextPage(rows, input.limit, (row) => row.agent_id);
    const items = [];
    for (const row of page.items)
      items.push({ agent: toAgent(await getAgent(db, row.agent_id)), ...grantFields(row) });
    return { items, nextCursor: page.nextCursor };
  },
});

const explain = query(contract.explainAccess, {
  on: 'repo',
  needs: 'read',
  run: async (context, input) => explanation(context, await getAgentByRef(context.db, input.agent)),
});

async function explanation({ db, repo, now }: ReadContext & { repo: RepoRow }, agent: AgentRow) {
  const role = (await findMaintainer(db, repo.id, agent.id))?.role;
  const { level, reasons } = await accessOf(db, repo, agent, now);
  const trust = ((await listTrust(db, repo.id)).get(agent.id) ?? NORMAL_TRUST) / 100;
  const weight = trust === 1 ? [] : [`its verdicts weigh ${trust} times what others' do`];
  return {
    agent: toAgent(agent),
    level,
    isMaintainer: role !== undefined,
    isOwner: role === 'owner',
    trust,
    reasons: [...reasons, ...weight],
  };
}

const trust = operation(contract.trustAgent, {
  on: 'repo',
  needs: 'admin',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const agent = await getAgentByRef(db, input.agent);
    const hundredths = input.factor === null ? null : Math.round(input.factor * 100);
    await setTrust(db, {
      repoId: repo.id,
      agentId: agent.id,
      hundredths,
      reason: input.reason,
      by: actor.id,
      now,
    });
    emit({
      type: 'access.trusted',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, factor: input.factor, reason: input.reason },
    });
    return explanation(context, agent);
  },
});

function grantFields(row: AccessGrantRow) {
  return {
    level: row.level as contract.AccessLevel,
    grantedBy: row.granted_by,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}

export const accessOperations = [grant, revoke, list, explain, trust];
