import type { AgentRow, MergeRow, RepoRow, ReviewOutcomeRow, StreamRow } from '../../db/tables.ts';
import { findMaintainer } from '../access/access-store.ts';
import { getAgent } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { blocksOfStream } from '../reviews/blocks-store.ts';
import { listReviewRows } from '../reviews/reviews-store.ts';
import { listAuthorIds } from '../streams/streams-store.ts';
import { CONFIRMED_REVIEW_KARMA, landingKarma, REVERTED_APPROVAL_KARMA } from './karma.ts';
import { addKarma } from './karma-store.ts';
import {
  hasEarnedAmount,
  insertPairs,
  karmaFrom,
  listAgentIdsOf,
  listApprovals,
  listEarnings,
  listOutcomes,
  partyOf,
  upsertOutcome,
} from './outcomes-store.ts';
import { type Decider, earnsKarma, isIndependent, membersOfChanged, ringsOf } from './rings.ts';
import { outcomesOf, REASONS, type VerdictOutcome } from './verdict-outcomes.ts';

type Context = EffectContext & { repo: RepoRow };
type Landed = { merge: MergeRow; stream: StreamRow };
type Giver = Decider & { agent: AgentRow };

const MOST_REVIEWS = 10_000;

/**
 * A landing earns its author karma, and everybody whose verdict it confirms, unless they gain by each other's work. The
 * bounty that it works off counts once for its task, however many landings it takes.
 */
export async function landingOutcome(ctx: Context, landed: Landed & { bounty: number }): Promise<void> {
  const { merge, stream } = landed;
  const confirmed = reasonsOf(await recordOutcomes(ctx, landed, false), 'confirmed');
  const author = await getAgent(ctx.db, stream.agent_id);
  const deciders = await giversOf(ctx, merge.repo_id, JSON.parse(merge.decided_by) as string[]);
  const reviewers = await giversOf(ctx, merge.repo_id, [...confirmed.keys()]);
  const rings = await ringsWith(ctx, [...deciders, ...reviewers], author);
  if (earnsKarma(deciders, partyOf(author), rings)) {
    const isSpent = stream.task_id !== null && (await hasEarnedAmount(ctx.db, stream.task_id));
    const amount = landingKarma(isSpent ? 0 : landed.bounty);
    const { repo_id: repoId, id: subjectId } = merge;
    await addKarma(ctx, { agentId: author.id, repoId, amount, reason: 'landing', subjectId });
  }
  await payReviewers(ctx, merge, { reviewers, reasons: confirmed, party: partyOf(author), rings });
}

/** A revert takes from the author what the landing had earned, and costs those who approved it; who warned was right. */
export async function revertOutcome(ctx: Context, reverted: Landed): Promise<void> {
  const { merge, stream } = reverted;
  const credit = { repoId: merge.repo_id, subjectId: merge.id };
  const amount = -Math.max(0, await karmaFrom(ctx.db, stream.agent_id, merge.id));
  await addKarma(ctx, { ...credit, agentId: stream.agent_id, amount, reason: 'landing reverted' });
  const outcomes = await recordOutcomes(ctx, reverted, true);
  const refuted = reasonsOf(outcomes, 'refuted');
  for (const [agentId, reason] of refuted)
    await addKarma(ctx, { ...credit, agentId, amount: REVERTED_APPROVAL_KARMA, reason });
  const reasons = reasonsOf(outcomes, 'confirmed');
  const ids = [...reasons.keys()].filter((id) => !refuted.has(id));
  const reviewers = await giversOf(ctx, merge.repo_id, ids);
  const author = await getAgent(ctx.db, stream.agent_id);
  const rings = await ringsWith(ctx, reviewers, author);
  await payReviewers(ctx, merge, { reviewers, reasons, party: partyOf(author), rings });
}

/** Pays everybody whose verdict was confirmed, once for a landing, however many verdicts they gave on the way to it. */
async function payReviewers(
  ctx: Context,
  merge: MergeRow,
  due: {
    reviewers: Giver[];
    reasons: Map<string, string>;
    party: string;
    rings: ReadonlyMap<string, string>;
  },
): Promise<void> {
  for (const reviewer of due.reviewers) {
    const agentId = reviewer.agent.id;
    if (!isIndependent(reviewer, due.party, due.rings)) continue;
    if ((await karmaFrom(ctx.db, agentId, merge.id)) > 0) continue;
    const reason = due.reasons.get(agentId) ?? '';
    const credit = { agentId, repoId: merge.repo_id, subjectId: merge.id, reason };
    await addKarma(ctx, { ...credit, amount: CONFIRMED_REVIEW_KARMA });
  }
}

/** Who gave an outcome of this kind, each with the reason of the last one. */
function reasonsOf(
  outcomes: readonly VerdictOutcome[],
  kind: VerdictOutcome['outcome'],
): Map<string, string> {
  const own = outcomes.filter(({ outcome }) => outcome === kind);
  return new Map(own.map(({ reviewerId, reason }) => [reviewerId, reason]));
}

/**
 * The rings as they are now that these agents gain by the author's work. Whoever is vouched for gains in nobody's ring.
 * What the members of a ring that has just closed had of each other before goes, wherever they had it.
 */
async function ringsWith(ctx: Context, givers: Giver[], author: AgentRow): Promise<Map<string, string>> {
  const before = ringsOf(await listApprovals(ctx.db));
  const unvouched = givers.filter((giver) => !giver.vouched);
  const pairs = unvouched.map(({ agent }) => ({ reviewerId: agent.id, authorId: author.id }));
  await insertPairs(ctx.db, pairs, ctx.now);
  const rings = ringsOf(await listApprovals(ctx.db));
  const members = membersOfChanged(before, rings);
  if (members.size > 0) await takeBackWithin(ctx, members, rings);
  return rings;
}

async function takeBackWithin(
  ctx: Context,
  members: ReadonlySet<string>,
  rings: ReadonlyMap<string, string>,
): Promise<void> {
  for (const earning of await listEarnings(ctx.db, await listAgentIdsOf(ctx.db, members))) {
    const { agentId, repoId, subjectId } = earning;
    const party = partyOf(await getAgent(ctx.db, earning.authorId));
    const isAuthor = agentId === earning.authorId;
    const givers = await giversOf(ctx, repoId, isAuthor ? earning.deciders : [agentId]);
    if (isAuthor ? earnsKarma(givers, party, rings) : givers.every((one) => isIndependent(one, party, rings)))
      continue;
    const reason = 'approved within a ring';
    await addKarma(ctx, { agentId, repoId, subjectId, amount: -earning.amount, reason });
  }
}

/** Records what the landing, or its revert, says of each verdict on the stream, and answers it. */
async function recordOutcomes(
  ctx: Context,
  { merge, stream }: Landed,
  reverted: boolean,
): Promise<VerdictOutcome[]> {
  const authors = await listAuthorIds(ctx.db, stream);
  const rows = (await listReviewRows(ctx.db, { streamId: stream.id, limit: MOST_REVIEWS })).filter(
    (row) => !authors.includes(row.reviewer_id),
  );
  const known = new Map((await listOutcomes(ctx.db, stream.id)).map((row) => [row.review_id, row]));
  const blocks = reverted ? [] : (await blocksOfStream(ctx.db, stream)).map(({ patchId }) => patchId);
  const verdicts = rows.map((row) => ({
    reviewId: row.id,
    reviewerId: row.reviewer_id,
    verdict: row.verdict,
    patchId: row.patch_id,
    sawLanding: blocks.includes(row.patch_id) || isOnLanding(known.get(row.id), merge),
    isJudged: known.has(row.id),
  }));
  const deciders = JSON.parse(merge.decided_by) as string[];
  const outcomes = outcomesOf(verdicts, { patchId: merge.patch_id, reverted, deciders });
  for (const { reviewId, reviewerId, outcome, reason } of outcomes) {
    await upsertOutcome(ctx.db, {
      review_id: reviewId,
      repo_id: merge.repo_id,
      agent_id: reviewerId,
      merge_id: merge.id,
      outcome,
      reason,
      decided_at: ctx.now,
    });
  }
  return outcomes;
}

/** True where this landing was found to be what the verdict had been given on. */
function isOnLanding(known: ReviewOutcomeRow | undefined, merge: MergeRow): boolean {
  return known?.merge_id === merge.id && known.reason !== REASONS.rejectedEarlier;
}

async function giversOf(ctx: EffectContext, repoId: string, ids: readonly string[]): Promise<Giver[]> {
  const givers = [];
  for (const id of ids) {
    const agent = await getAgent(ctx.db, id);
    const isOwner = (await findMaintainer(ctx.db, repoId, id))?.role === 'owner';
    givers.push({ agent, node: partyOf(agent), vouched: agent.kind === 'human' || isOwner });
  }
  return givers;
}
