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
  whyVoiceless,
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
  const verdicts = await withAgents(db, repo, { rows: effective, maintainers, now });
  // Whoever has a voice and has spoken need not be looked for.
  const hasSpoken = verdicts.some(
    ({ reviewerId, eligible, trust, role }) =>
      eligible && trust > 0 && !authorIds.includes(reviewerId) && !whyVoiceless(rules, role),
  );
  const facts: ConsensusFacts = {
    rules,
    patchId: stream.patch_id,
    authorIds,
    authorIsOwner: maintainers.some((m) => m.agent_id === stream.agent_id && m.role === 'owner'),
    authorIsHuman: (await getAgent(db, stream.agent_id)).kind === 'human',
    verdicts,
    hasOtherVoter: hasSpoken || (await hasOtherVoter(db, repo, { rules, maintainers, authorIds, now })),
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

/** Whether anybody but the authors could give a verdict that counts: asked one after the other until one could. */
async function hasOtherVoter(
  db: Db,
  repo: RepoRow,
  {
    rules,
    maintainers,
    authorIds,
    now,
  }: { rules: ConsensusRules; maintainers: MaintainerRow[]; authorIds: string[]; now: string },
): Promise<boolean> {
  const trust = await listTrust(db, repo.id);
  for await (const agent of candidates(db, repo, { rules, maintainers })) {
    if (authorIds.includes(agent.id) || trust.get(agent.id) === 0) continue;
    if (whyVoiceless(rules, roleOf(maintainers, agent.id))) continue;
    if (includesLevel((await accessOf(db, repo, agent, now)).level, 'write')) return true;
  }
  return false;
}

const MANY = 100;

/** Those who may have a voice: people with a role or a grant, then, where the policy lets others in, the others. */
async function* candidates(
  db: Db,
  repo: RepoRow,
  { rules, maintainers }: { rules: ConsensusRules; maintainers: MaintainerRow[] },
): AsyncGenerator<AgentRow> {
  const { agent_access, is_private, min_karma } = serverSettings(repo);
  const isOpen = rules.model === 'open' && !rules.maintainersOnly;
  const granted = isOpen ? (await listGrantRows(db, repo.id)).map((grant) => grant.agent_id) : [];
  const known = [...new Set([...maintainers.map((each) => each.agent_id), ...granted])];
  for (const id of known) yield getAgent(db, id);
  const isPublic = agent_access === 'public' && !is_private;
  if (!isOpen || !(isPublic || agent_access === 'karma_threshold')) return;
  const least = isPublic ? 0 : min_karma;
  for (let after = ''; ; ) {
    const page = await db
      .selectFrom('agent')
      .selectAll()
      .where('status', '=', 'active')
      .where('council_id', 'is', null)
      .where('karma', '>=', least)
      .where('id', '>', after)
      .orderBy('id')
      .limit(MANY)
      .execute();
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < MANY) return;
    after = last.id;
  }
}

function roleOf(maintainers: MaintainerRow[], agentId: string): 'maintainer' | 'owner' | null {
  const row = maintainers.find((maintainer) => maintainer.agent_id === agentId);
  return row ? (row.role === 'owner' ? 'owner' : 'maintainer') : null;
}
