import type { RepoConfig } from '../../contract/repo-files.ts';
import type { Consensus, Verdict } from '../../contract/reviews.ts';
import type { Db } from '../../db/database.ts';
import type { AgentRow, MaintainerRow, RepoRow, StreamRow } from '../../db/tables.ts';
import { includesLevel } from '../access/access.ts';
import { accessOf, listGrantRows, listMaintainerRows } from '../access/access-store.ts';
import { listTrust, NORMAL_TRUST } from '../access/trust-store.ts';
import { getAgent } from '../agents/agents-store.ts';
import { branchPolicy, touchesSettings } from '../repos/branch-rules.ts';
import { configInForce, serverSettings } from '../repos/repos-store.ts';
import { listAuthorIds } from '../streams/streams-store.ts';
import {
  blocksWithVerdicts,
  byBlocks,
  type JudgedBlock,
  tallyBlocks,
  type VerdictRow,
  wholeVerdicts,
} from './block-verdicts.ts';
import { blocksOfStream } from './blocks-store.ts';
import {
  type ConsensusFacts,
  type ConsensusRules,
  type StandingVerdict,
  tallyConsensus,
} from './consensus.ts';
import { listVerdictRows } from './reviews-store.ts';

const MOST_VERDICTS = 10_000;

/**
 * The consensus on what the stream holds now, computed afresh from verdicts, roles and rules. A stream is agreed on as
 * a whole, or block by block.
 */
export async function consensusOf(db: Db, repo: RepoRow, stream: StreamRow, now: string): Promise<Consensus> {
  const { facts, blocks } = await judgedFacts(db, repo, stream, now);
  const whole = tallyConsensus(facts);
  const result = whole.reached || blocks.length < 2 ? whole : byBlocks(whole, tallyBlocks(facts, blocks));
  return { ...result, head: stream.head, authority: repo.authority === 'server' ? 'server' : 'local' };
}

/** Everything a tally is computed from, and the blocks that verdicts were given on; none where nobody judged one. */
export async function judgedFacts(
  db: Db,
  repo: RepoRow,
  stream: StreamRow,
  now: string,
): Promise<{ facts: ConsensusFacts; blocks: JudgedBlock[] }> {
  const authorIds = await listAuthorIds(db, stream);
  const maintainers = await listMaintainerRows(db, repo.id);
  const rules = rulesFor(repo, configInForce(repo), JSON.parse(stream.paths) as string[]);
  const rows = await listVerdictRows(db, stream.id, MOST_VERDICTS);
  const onBlocks = rows.filter((row) => row.review_block_id !== null);
  const blocks = onBlocks.length === 0 ? [] : blocksWithVerdicts(await blocksOfStream(db, stream), onBlocks);
  const effective = wholeVerdicts(rows, blocks, stream.patch_id);
  const facts: ConsensusFacts = {
    rules,
    patchId: stream.patch_id,
    authorIds,
    authorIsOwner: maintainers.some((m) => m.agent_id === stream.agent_id && m.role === 'owner'),
    authorIsHuman: (await getAgent(db, stream.agent_id)).kind === 'human',
    verdicts: await withAgents(db, repo, { rows: effective, maintainers, now }),
    otherVoters: await countOtherVoters(db, repo, rules, maintainers, authorIds),
  };
  const judged = [];
  for (const block of blocks) {
    const verdicts = await withAgents(db, repo, { rows: block.rows, maintainers, now });
    judged.push({ ...block, verdicts });
  }
  return { facts, blocks: judged };
}

export function rulesFor(repo: RepoRow, config: RepoConfig, paths: string[]): ConsensusRules {
  const settings = serverSettings(repo);
  const policy = branchPolicy(config.buffer_branch, config);
  return {
    model: settings.ownership_model,
    threshold: policy.threshold,
    minReviews: policy.minReviews,
    humanWeight: config.human_review_weight,
    independentReviews: config.independent_reviews,
    maintainersOnly: policy.maintainersOnly || touchesSettings(paths),
    requireHuman: settings.require_human_approval,
  };
}

/** Verdicts with what their givers are now. */
async function withAgents(
  db: Db,
  repo: RepoRow,
  { rows, maintainers, now }: { rows: VerdictRow[]; maintainers: MaintainerRow[]; now: string },
): Promise<StandingVerdict[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.reviewer_id);
  const agents = await db.selectFrom('agent').selectAll().where('id', 'in', ids).execute();
  const byId = new Map(agents.map((agent) => [agent.id, agent]));
  const trust = await listTrust(db, repo.id);
  const verdicts: StandingVerdict[] = [];
  for (const row of rows) {
    const agent = byId.get(row.reviewer_id);
    if (!agent) continue;
    const access = await accessOf(db, repo, agent, now);
    verdicts.push({
      reviewerId: agent.id,
      reviewerName: agent.name,
      verdict: row.verdict as Verdict,
      patchId: row.patch_id,
      isHuman: row.is_human === 1,
      karma: agent.karma,
      trust: trust.get(agent.id) ?? NORMAL_TRUST,
      role: roleOf(maintainers, agent.id),
      operator: agent.operator,
      eligible: includesLevel(access.level, 'write'),
      reviewedAt: row.reviewed_at,
    });
  }
  return verdicts;
}

/** How many agents other than the authors could give a verdict that counts. */
async function countOtherVoters(
  db: Db,
  repo: RepoRow,
  rules: ConsensusRules,
  maintainers: MaintainerRow[],
  authorIds: string[],
): Promise<number> {
  const settings = serverSettings(repo);
  const isActive = async (ids: string[]): Promise<AgentRow[]> =>
    ids.length === 0
      ? []
      : db.selectFrom('agent').selectAll().where('id', 'in', ids).where('status', '=', 'active').execute();
  const others = (ids: string[]) => [...new Set(ids)].filter((id) => !authorIds.includes(id));
  if (rules.model === 'solo') {
    const owners = maintainers.filter((m) => m.role === 'owner').map((m) => m.agent_id);
    return (await isActive(others(owners))).length;
  }
  if (rules.model === 'guild' || rules.maintainersOnly) {
    return (await isActive(others(maintainers.map((m) => m.agent_id)))).length;
  }
  if (settings.agent_access === 'public' && !settings.is_private) {
    const rows = await db
      .selectFrom('agent')
      .select('id')
      .where('status', '=', 'active')
      .where('council_id', 'is', null)
      .execute();
    return others(rows.map((row) => row.id)).length;
  }
  const grants = (await listGrantRows(db, repo.id)).filter((g) => g.level !== 'read').map((g) => g.agent_id);
  const rich =
    settings.agent_access === 'karma_threshold'
      ? await db
          .selectFrom('agent')
          .select('id')
          .where('karma', '>=', settings.min_karma)
          .where('council_id', 'is', null)
          .execute()
      : [];
  const ids = [...maintainers.map((m) => m.agent_id), ...grants, ...rich.map((row) => row.id)];
  return (await isActive(others(ids))).length;
}

function roleOf(maintainers: MaintainerRow[], agentId: string): 'maintainer' | 'owner' | null {
  const row = maintainers.find((maintainer) => maintainer.agent_id === agentId);
  return row ? (row.role === 'owner' ? 'owner' : 'maintainer') : null;
}
