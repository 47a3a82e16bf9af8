import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/repos.ts';
import type { AgentRow, MaintainerRow, RepoRow } from '../db/tables.ts';
import {
  deleteMaintainer,
  findMaintainer,
  listMaintainerRows,
  upsertMaintainer,
} from '../domain/access/access-store.ts';
import { listOwners } from '../domain/access/owners-store.ts';
import { getAgent, getAgentByRef, toAgent } from '../domain/agents/agents-store.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const add = operation(contract.addMaintainer, {
  on: 'repo',
  needs: 'admin',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const agent = await getAgentByRef(db, input.agent);
    const before = await findMaintainer(db, repo.id, agent.id);
    // A council adds; what an owner is not to be any more, another owner says in so many words.
    const isLowered = input.role === 'maintainer' && actor.council_id === null;
    const role = before?.role === 'owner' && !isLowered ? 'owner' : (input.role ?? 'maintainer');
    if (before?.role === role) return toMaintainer(agent, before);
    if (before?.role === 'owner') await refuseForLastOwner(context, agent);
    const row: MaintainerRow = {
      repo_id: repo.id,
      agent_id: agent.id,
      role,
      added_by: before?.added_by ?? actor.id,
      reason: input.reason ?? null,
      created_at: before?.created_at ?? now,
    };
    await upsertMaintainer(db, row);
    emit({
      type: 'maintainer.added',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, role, before: before?.role ?? null, reason: row.reason },
    });
    return toMaintainer(agent, row);
  },
});

const remove = operation(contract.removeMaintainer, {
  on: 'repo',
  needs: 'admin',
  async run(context, input) {
    const { db, repo, emit } = context;
    const agent = await getAgentByRef(db, input.agent);
    const before = await findMaintainer(db, repo.id, agent.id);
    if (!before) return { removed: false };
    if (before.role === 'owner') await refuseForLastOwner(context, agent);
    await deleteMaintainer(db, repo.id, agent.id);
    emit({
      type: 'maintainer.removed',
      subject: { type: 'agent', id: agent.id },
      data: { name: agent.name, role: before.role },
    });
    return { removed: true };
  },
});

/** The last owner who can act stays one: without an owner nobody could govern the repository again. */
async function refuseForLastOwner(
  context: ActingContext & { repo: RepoRow },
  agent: AgentRow,
): Promise<void> {
  const owners = await listOwners(context.db, context.repo.id);
  if (owners.some((owner) => owner.id !== agent.id && owner.status === 'active')) return;
  throw new SwarmError('conflict', `${agent.name} is the last owner of ${context.repo.name} and stays one.`, {
    fix: 'gitswarm repo maintainer add <agent> --role owner',
  });
}

const list = query(contract.listMaintainers, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = rowsAfter(
      await listMaintainerRows(db, repo.id),
      decodeCursor(input.cursor),
      input.limit + 1,
    );
    const page = nextPage(rows, input.limit, (row) => row.agent_id);
    const items = [];
    for (const row of page.items) items.push(toMaintainer(await getAgent(db, row.agent_id), row));
    return { items, nextCursor: page.nextCursor };
  },
});

/** The part of a short, ordered list that follows an agent's row. */
export function rowsAfter<R extends { agent_id: string }>(
  rows: R[],
  agentId: string | undefined,
  limit: number,
): R[] {
  const start = agentId === undefined ? 0 : rows.findIndex((row) => row.agent_id === agentId) + 1;
  return rows.slice(start, start + limit);
}

function toMaintainer(agent: AgentRow, row: MaintainerRow): contract.Maintainer {
  return {
    agent: toAgent(agent),
    role: row.role === 'owner' ? 'owner' : 'maintainer',
    addedBy: row.added_by,
    createdAt: row.created_at,
  };
}

export const maintainerOperations = [add, remove, list];
