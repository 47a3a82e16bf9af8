import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { AgentRow, ApiKeyRow } from '../../db/tables.ts';

const agentByHash = prepared((db, keyHash: string) =>
  db.selectFrom('agent').selectAll().where('api_key_hash', '=', keyHash),
);

/** The agent whose own key has this hash. */
export async function findAgentByKeyHash(db: Db, keyHash: string): Promise<AgentRow | undefined> {
  return (await agentByHash(db, keyHash))[0];
}

const keyByHash = prepared((db, keyHash: string) =>
  db.selectFrom('api_key').selectAll().where('key_hash', '=', keyHash),
);

export async function findApiKeyByHash(db: Db, keyHash: string): Promise<ApiKeyRow | undefined> {
  return (await keyByHash(db, keyHash))[0];
}

export async function findApiKey(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertApiKey(tx: Tx, row: ApiKeyRow): Promise<void> {
  await tx.insertInto('api_key').values(row).execute();
}

/** The further keys of an agent, newest last. */
export async function listApiKeyRows(
  db: Db,
  filter: { agentId: string; afterId?: string | undefined; limit: number },
): Promise<ApiKeyRow[]> {
  let query = db
    .selectFrom('api_key')
    .selectAll()
    .where('agent_id', '=', filter.agentId)
    .orderBy('id')
    .limit(filter.limit);
  if (filter.afterId !== undefined) query = query.where('id', '>', filter.afterId);
  return query.execute();
}

export async function revokeApiKey(tx: Tx, id: string, at: string): Promise<void> {
  await tx.updateTable('api_key').set({ revoked_at: at }).where('id', '=', id).execute();
}
