import type { Stage, StageReport } from '../../contract/stages.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { RepoRow, StageChangeRow } from '../../db/tables.ts';
import { countActiveMaintainers } from '../access/access-store.ts';
import { statusNow } from '../councils/council-rules.ts';
import { findCouncil, listSeats } from '../councils/councils-store.ts';
import { countLandings } from '../merges/contributions-store.ts';
import { nextStage, requirementsFor, type StageMetrics } from './stage-rules.ts';

export async function stageMetrics(db: Db, repo: RepoRow, now: string): Promise<StageMetrics> {
  const { streams, contributors } = await countLandings(db, repo.id);
  return {
    contributors,
    landedStreams: streams,
    maintainers: await countActiveMaintainers(db, repo.id),
    councilIsActive: await isCouncilActive(db, repo, now),
  };
}

async function isCouncilActive(db: Db, repo: RepoRow, now: string): Promise<boolean> {
  const council = await findCouncil(db, repo.id);
  if (!council) return false;
  return statusNow(council, (await listSeats(db, council.id, now)).length) === 'active';
}

export async function insertStageChange(tx: Tx, row: StageChangeRow): Promise<void> {
  await tx.insertInto('stage_change').values(row).execute();
}

/** Where a repository stands, what the next stage asks for, and how it came here, newest first. */
export async function stageReport(db: Db, repo: RepoRow, now: string): Promise<StageReport> {
  const stage = repo.stage as Stage;
  const next = nextStage(stage);
  const requirements = requirementsFor(next, await stageMetrics(db, repo, now));
  const rows = await db
    .selectFrom('stage_change')
    .selectAll()
    .where('repo_id', '=', repo.id)
    .orderBy('id', 'desc')
    .limit(20)
    .execute();
  return {
    stage,
    next,
    eligible: next !== null && requirements.every((each) => each.met),
    requirements,
    history: rows.map((row) => ({
      from: row.from_stage as Stage,
      to: row.to_stage as Stage,
      forced: row.forced === 1,
      agentId: row.agent_id,
      metrics: JSON.parse(row.metrics) as Record<string, number>,
      changedAt: row.changed_at,
    })),
  };
}
