import type { ProposalPlan, ProposalType } from '../../contract/proposals.ts';
import type { Db } from '../../db/database.ts';
import type { Mandate } from './mandates.ts';

/** What a council has decided in its repository and what is being carried out at this moment. */
export async function listMandates(db: Db, councilId: string, repoId: string): Promise<Mandate[]> {
  const rows = await db
    .selectFrom('proposal')
    .selectAll()
    .where('council_id', '=', councilId)
    .where('repo_id', '=', repoId)
    .where('status', '=', 'passed')
    .where('begun_at', 'is not', null)
    .where('executed_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    type: row.type as ProposalType,
    data: JSON.parse(row.data) as Record<string, unknown>,
    plan: JSON.parse(row.plan ?? '{}') as ProposalPlan,
  }));
}
