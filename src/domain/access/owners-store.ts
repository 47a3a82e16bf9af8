import type { Db } from '../../db/database.ts';
import type { AgentRow } from '../../db/tables.ts';

/** The owners of a repository, those added first at the front. */
export async function listOwners(db: Db, repoId: string): Promise<AgentRow[]> {
  return db
    .selectFrom('maintainer')
    .innerJoin('agent', 'agent.id', 'maintainer.agent_id')
    .selectAll('agent')
    .where('maintainer.repo_id', '=', repoId)
    .where('maintainer.role', '=', 'owner')
    .orderBy('maintainer.created_at')
    .orderBy('agent.id')
    .execute();
}

/** The repositories that an agent owns. */
export async function listOwnedRepoIds(db: Db, agentId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('maintainer')
    .select('repo_id')
    .where('agent_id', '=', agentId)
    .where('role', '=', 'owner')
    .orderBy('repo_id')
    .execute();
  return rows.map((row) => row.repo_id);
}
