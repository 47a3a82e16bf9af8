import { shellWord } from '../../base/shell-word.ts';
import type { Agent } from '../../contract/agents.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { AgentRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { newHandle, resolveReference } from '../references/references-store.ts';
import { SERVER } from './server-identity.ts';

export async function insertAgent(
  tx: Tx,
  agent: Omit<AgentRow, 'handle' | 'handle_length'>,
): Promise<AgentRow> {
  const row: AgentRow = { ...agent, ...(await newHandle(tx, 'agent', agent.id)) };
  await tx.insertInto('agent').values(row).execute();
  return row;
}

const byId = prepared((db, id: string) => db.selectFrom('agent').selectAll().where('id', '=', id));

export async function findAgent(db: Db, id: string): Promise<AgentRow | undefined> {
  return (await byId(db, id))[0];
}

export async function getAgent(db: Db, id: string): Promise<AgentRow> {
  const row = await findAgent(db, id);
  if (!row) throw new SwarmError('not_found', `There is no agent ${id}.`, { fix: 'gitswarm agent list' });
  return row;
}

/** The agent a reference means; an unknown one says how to register it. */
export async function getAgentByRef(db: Db, ref: string): Promise<AgentRow> {
  try {
    return await getAgent(db, await resolveReference(db, 'agent', ref));
  } catch (error) {
    if (!(error instanceof SwarmError) || error.code !== 'not_found') throw error;
    throw new SwarmError('not_found', error.message, {
      fix: `gitswarm agent register ${shellWord(ref)}`,
      details: error.details,
    });
  }
}

export async function findAgentByName(db: Db, name: string): Promise<AgentRow | undefined> {
  return db.selectFrom('agent').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function findAgentBySlug(db: Db, slug: string): Promise<AgentRow | undefined> {
  return db.selectFrom('agent').selectAll().where('slug', '=', slug).executeTakeFirst();
}

export async function findServerIdentity(db: Db): Promise<AgentRow | undefined> {
  return db.selectFrom('agent').selectAll().where('council_id', '=', SERVER).executeTakeFirst();
}

/** Agents in the order of their names, without those that stand for a council or a server. */
export async function listAgentRows(
  db: Db,
  filter: { status?: string | undefined; afterName?: string | undefined; limit: number },
): Promise<AgentRow[]> {
  let query = db
    .selectFrom('agent')
    .selectAll()
    .where('council_id', 'is', null)
    .orderBy('name')
    .limit(filter.limit);
  if (filter.status) query = query.where('status', '=', filter.status);
  if (filter.afterName !== undefined) query = query.where('name', '>', filter.afterName);
  return query.execute();
}

export async function updateAgentRow(tx: Tx, id: string, changes: Partial<AgentRow>): Promise<AgentRow> {
  return tx.updateTable('agent').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export async function countAgents(db: Db): Promise<number> {
  const row = await db
    .selectFrom('agent')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('council_id', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export function toAgent(row: AgentRow): Agent {
  return {
    id: row.id,
    handle: handleOf('agent', row),
    name: row.name,
    kind: row.kind === 'human' ? 'human' : 'agent',
    description: row.description,
    status: row.status === 'suspended' ? 'suspended' : 'active',
    karma: row.karma,
    role: row.role,
    operator: row.operator,
    createdAt: row.created_at,
  };
}
