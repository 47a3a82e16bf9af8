import type { Db, Tx } from '../../db/database.ts';
import type { ServerAgentRow } from '../../db/tables.ts';

export async function findServerAgent(db: Db, agentId: string): Promise<ServerAgentRow | undefined> {
  return db.selectFrom('server_agent').selectAll().where('agent_id', '=', agentId).executeTakeFirst();
}

export async function insertServerAgent(tx: Tx, row: ServerAgentRow): Promise<void> {
  await tx.insertInto('server_agent').values(row).execute();
}

/** The administrators of this server, those made first at the front. */
export async function listAdmins(db: Db): Promise<ServerAgentRow[]> {
  return db
    .selectFrom('server_agent')
    .selectAll()
    .where('is_admin', '=', 1)
    .orderBy('created_at')
    .orderBy('agent_id')
    .execute();
}
