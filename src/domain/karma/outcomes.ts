import type { AgentRow, MergeRow, RepoRow, StreamRow } from '../../db/tables.ts';
import { findMaintainer } from '../access/access-store.ts';
import { getAgent } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { listReviewRows } from '../reviews/reviews-store.ts';
import { CONFIRMED_REVIEW_KARMA, landingKarma, REVERTED_APPROVAL_KARMA } from './karma.ts';
import { addKarma } from './karma-store.ts';
import {
  hasEarnedAmount,
  insertPairs,
  karmaFrom,
  listApprovals,
  listDecidedLandings,
  partyOf,
  upsertOutcome,
} from './outcomes-store.ts';
import { type Decider, earnsKarma, isIndependent, ringsOf } from './rings.ts';
import { outcomesOf } from './verdict-outcomes.ts';

type Context = EffectContext & { repo: RepoRow };
type Landed = { merge: MergeRow; stream: StreamRow };

const MOST_REVIEWS = 10_000;

/**
 * A landing earns its author karma, and those who were for it, unless all of them approve each other's work. The
 * bounty that it works off counts once for its task, however many landings it takes.
 */
export async function landingOutcome(ctx: Context, landed: Landed & { bounty: number }): Promise<void> {
  const { merge, stream } = landed;
  await recordOutcomes(ctx, landed, false);
  const author = await getAgent(ctx.db, stream.agent_id);
  const deciders = await decidersOf(ctx, merge.decided_by);
  const unvouched = deciders.filter((decider) => !decider.vouched);
  const before = ringsOf(await listApprovals(ctx.db));
  await insertPairs(
    ctx.db,
    unvouched.map(({ agent }) => ({ reviewerId: agent.id, authorId: author.id })),
    ctx.now,
  );
  const rings = ringsOf(await listApprovals(ctx.db));
  const credit = { repoId: ctx.repo.id, subjectId: merge.id };
  const party = partyOf(author);
  if (earnsKarma(deciders, party, rings)) {
    const isSpent = stream.task_id !== null && (await hasEarnedAmount(ctx.db, stream.task_id));
    const amount = landingKarma(isSpent ? 0 : landed.bounty);
    await addKarma(ctx, { ...credit, agentId: author.id, amount, reason: 'landing' });
  }
  for (const decider of deciders) {
    if (!isIndependent(decider, party, rings)) continue;
    const reason = 'approved what landed';
    await addKarma(ctx, { ...credit, agentId: decider.agent.id, amount: CONFIRMED_REVIEW_KARMA, reason });
  }
  if (rings.size !== before.size || [...rings].some(([node, ring]) => before.get(node) !== ring)) {
    await takeBackWithin(ctx, rings);
  }
}

/** A ring has closed: what its members had of each other before that goes, too. */
async function takeBackWithin(ctx: Context, rings: ReadonlyMap<string, string>): Promise<void> {
  for (const { merge, authorId } of await listDecidedLandings(ctx.db, ctx.repo.id)) {
    const author = await getAgent(ctx.db, authorId);
    const party = partyOf(author);
    if (!rings.has(party)) continue;
    const deciders = await decidersOf(ctx, merge.decided_by);
    const losers = deciders
      .filter((decider) => !isIndependent(decider, party, rings))
      .map(({ agent }) => agent.id);
    if (!earnsKarma(deciders, party, rings)) losers.push(author.id);
    for (const agentId of losers) {
      const amount = await karmaFrom(ctx.db, agentId, merge.id);
      if (amount <= 0) continue;
      const reason = 'approved within a ring';
      await addKarma(ctx, { agentId, repoId: ctx.repo.id, amount: -amount, reason, subjectId: merge.id });
    }
  }
}

/** A revert takes from the author what the landing had earned, and costs those who were for it; who warned of it was right. */
export async function revertOutcome(ctx: Context, reverted: Landed): Promise<void> {
  const { merge, stream } = reverted;
  const credit = { repoId: ctx.repo.id, subjectId: merge.id };
  const amount = -Math.max(0, await karmaFrom(ctx.db, stream.agent_id, merge.id));
  await addKarma(ctx, { ...credit, agentId: stream.agent_id, amount, reason: 'landing reverted' });
  for (const agentId of JSON.parse(merge.decided_by) as string[]) {
    const reason = 'approved what was reverted';
    await addKarma(ctx, { ...credit, agentId, amount: REVERTED_APPROVAL_KARMA, reason });
  }
  for (const { reviewerId, outcome, reason } of await recordOutcomes(ctx, reverted, true)) {
    if (outcome !== 'confirmed' || reason !== 'warned of what was reverted') continue;
    await addKarma(ctx, { ...credit, agentId: reviewerId, amount: CONFIRMED_REVIEW_KARMA, reason });
  }
}

async function recordOutcomes(ctx: Context, { merge, stream }: Landed, reverted: boolean) {
  const rows = await listReviewRows(ctx.db, { streamId: stream.id, limit: MOST_REVIEWS });
  const verdicts = rows.map((row) => ({
    reviewId: row.id,
    reviewerId: row.reviewer_id,
    verdict: row.verdict,
    patchId: row.patch_id,
  }));
  const outcomes = outcomesOf(verdicts, { patchId: merge.patch_id, reverted });
  for (const { reviewId, reviewerId, outcome, reason } of outcomes) {
    await upsertOutcome(ctx.db, {
      review_id: reviewId,
      repo_id: ctx.repo.id,
      agent_id: reviewerId,
      merge_id: merge.id,
      outcome,
      reason,
      decided_at: ctx.now,
    });
  }
  return outcomes;
}

async function decidersOf(ctx: Context, decidedBy: string): Promise<(Decider & { agent: AgentRow })[]> {
  const deciders = [];
  for (const id of JSON.parse(decidedBy) as string[]) {
    const agent = await getAgent(ctx.db, id);
    const isOwner = (await findMaintainer(ctx.db, ctx.repo.id, id))?.role === 'owner';
    deciders.push({ agent, node: partyOf(agent), vouched: agent.kind === 'human' || isOwner });
  }
  return deciders;
}
