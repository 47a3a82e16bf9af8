import type { Db, Tx } from '../../db/database.ts';

/** In hundredths: what everybody's verdicts weigh, times what the rules say. */
export const NORMAL_TRUST = 100;

/** The agents to whom a repository gives more or less weight, in hundredths. */
export async function listTrust(db: Db, repoId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('agent_trust')
    .select(['agent_id', 'hundredths'])
    .where('repo_id', '=', repoId)
    .execute();
  return new Map(rows.map((row) => [row.agent_id, row.hundredths]));
}

/** Null gives an agent back what everybody has. */
export async function setTrust(
  tx: Tx,
  wish: {
    repoId: string;
    agentId: string;
    hundredths: number | null;
    reason: string;
    by: string;
    now: string;
  },
): Promise<void> {
  if (wish.hundredths === null) {
    await tx
      .deleteFrom('agent_trust')
      .where('repo_id', '=', wish.repoId)
      .where('agent_id', '=', wish.agentId)
      .execute();
    return;
  }
  const value = { hundredths: wish.hundredths, reason: wish.reason, set_by: wish.by, set_at: wish.now };
  await tx
    .insertInto('agent_trust')
    .values({ repo_id: wish.repoId, agent_id: wish.agentId, ...value })
    .onConflict((c) => c.columns(['repo_id', 'agent_id']).doUpdateSet(value))
    .execute();
}
