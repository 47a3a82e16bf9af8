import type { ReviewerStats } from '../../contract/karma.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { ReviewOutcomeRow } from '../../db/tables.ts';
import { landingKarma } from './karma.ts';
import type { Approval } from './rings.ts';
import { accuracyOf } from './verdict-outcomes.ts';

const OPERATOR = 'operator ';

/** Whoever acts for one operator is one party: its operator, else itself. */
export function partyOf(agent: { id: string; operator: string | null }): string {
  return agent.operator === null ? agent.id : `${OPERATOR}${agent.operator}`;
}

export async function insertPairs(
  tx: Tx,
  pairs: { reviewerId: string; authorId: string }[],
  now: string,
): Promise<void> {
  if (pairs.length === 0) return;
  const rows = pairs.map(({ reviewerId, authorId }) => ({
    reviewer_id: reviewerId,
    author_id: authorId,
    first_at: now,
  }));
  await tx
    .insertInto('approval_pair')
    .values(rows)
    .onConflict((c) => c.columns(['reviewer_id', 'author_id']).doNothing())
    .execute();
}

/** Which party has gained by work of which, having judged it; whoever is vouched for is not among the reviewers. */
export async function listApprovals(db: Db): Promise<Approval[]> {
  const rows = await db
    .selectFrom('approval_pair')
    .innerJoin('agent as reviewer', 'reviewer.id', 'approval_pair.reviewer_id')
    .innerJoin('agent as author', 'author.id', 'approval_pair.author_id')
    .select([
      'reviewer.id as reviewer_id',
      'reviewer.operator as reviewer_operator',
      'author.id as author_id',
      'author.operator as author_operator',
    ])
    .execute();
  return rows.map((row) => ({
    from: partyOf({ id: row.reviewer_id, operator: row.reviewer_operator }),
    to: partyOf({ id: row.author_id, operator: row.author_operator }),
  }));
}

/** The agents that these parties are made of. */
export async function listAgentIdsOf(db: Db, parties: ReadonlySet<string>): Promise<string[]> {
  const operators = [...parties].flatMap((party) =>
    party.startsWith(OPERATOR) ? [party.slice(OPERATOR.length)] : [],
  );
  const own = [...parties].filter((party) => !party.startsWith(OPERATOR));
  if (operators.length === 0) return own;
  const rows = await db.selectFrom('agent').select('id').where('operator', 'in', operators).execute();
  return [...own, ...rows.map((row) => row.id)];
}

export interface Earning {
  subjectId: string;
  repoId: string;
  authorId: string;
  deciders: string[];
  agentId: string;
  amount: number;
}

/** What anybody still has of the landings of these authors, in whatever repository, oldest landing first. */
export async function listEarnings(db: Db, authorIds: readonly string[]): Promise<Earning[]> {
  if (authorIds.length === 0) return [];
  const rows = await db
    .selectFrom('karma_entry')
    .innerJoin('merge', 'merge.id', 'karma_entry.subject_id')
    .innerJoin('stream', 'stream.id', 'merge.stream_id')
    .select(['merge.id', 'merge.repo_id', 'merge.decided_by', 'stream.agent_id as author_id'])
    .select((e) => ['karma_entry.agent_id', e.fn.sum<number>('karma_entry.amount').as('amount')])
    .where('stream.agent_id', 'in', authorIds)
    .groupBy(['merge.id', 'merge.repo_id', 'merge.decided_by', 'stream.agent_id', 'karma_entry.agent_id'])
    .having((e) => e.fn.sum('karma_entry.amount'), '>', 0)
    .orderBy('merge.id')
    .orderBy('karma_entry.agent_id')
    .execute();
  return rows.map((row) => ({
    subjectId: row.id,
    repoId: row.repo_id,
    authorId: row.author_id,
    deciders: JSON.parse(row.decided_by) as string[],
    agentId: row.agent_id,
    amount: Number(row.amount),
  }));
}

/** What an agent has of one landing, all its rows added up. */
export async function karmaFrom(db: Db, agentId: string, subjectId: string): Promise<number> {
  const rows = await db
    .selectFrom('karma_entry')
    .select('amount')
    .where('agent_id', '=', agentId)
    .where('subject_id', '=', subjectId)
    .execute();
  return rows.reduce((sum, row) => sum + row.amount, 0);
}

/** True where a landing that stands has earned its author more than any landing does: the task's amount is spent. */
export async function hasEarnedAmount(db: Db, taskId: string): Promise<boolean> {
  const rows = await db
    .selectFrom('karma_entry')
    .innerJoin('merge', 'merge.id', 'karma_entry.subject_id')
    .innerJoin('stream', 'stream.id', 'merge.stream_id')
    .select((e) => ['merge.id', e.fn.sum<number>('karma_entry.amount').as('earned')])
    .where('stream.task_id', '=', taskId)
    .where('merge.state', '=', 'landed')
    .whereRef('karma_entry.agent_id', '=', 'stream.agent_id')
    .groupBy('merge.id')
    .execute();
  return rows.some((row) => Number(row.earned) > landingKarma(0));
}

/** What is known of the verdicts on a stream. */
export async function listOutcomes(db: Db, streamId: string): Promise<ReviewOutcomeRow[]> {
  return db
    .selectFrom('review_outcome')
    .innerJoin('review', 'review.id', 'review_outcome.review_id')
    .selectAll('review_outcome')
    .where('review.stream_id', '=', streamId)
    .execute();
}

/** The newest outcome of a verdict takes the place of the one before. */
export async function upsertOutcome(tx: Tx, row: ReviewOutcomeRow): Promise<void> {
  const { review_id: _id, ...rest } = row;
  await tx
    .insertInto('review_outcome')
    .values(row)
    .onConflict((c) => c.column('review_id').doUpdateSet(rest))
    .execute();
}

export async function reviewerStats(db: Db, repoId: string, agentId: string): Promise<ReviewerStats> {
  const verdicts = await db
    .selectFrom('review')
    .innerJoin('stream', 'stream.id', 'review.stream_id')
    .select((e) => ['review.verdict', e.fn.countAll<number>().as('n')])
    .where('stream.repo_id', '=', repoId)
    .where('review.reviewer_id', '=', agentId)
    .groupBy('review.verdict')
    .execute();
  const outcomes = await db
    .selectFrom('review_outcome')
    .select((e) => ['outcome', e.fn.countAll<number>().as('n')])
    .where('repo_id', '=', repoId)
    .where('agent_id', '=', agentId)
    .groupBy('outcome')
    .execute();
  const given = (word: string) => Number(verdicts.find((row) => row.verdict === word)?.n ?? 0);
  const became = (word: string) => Number(outcomes.find((row) => row.outcome === word)?.n ?? 0);
  const counts = {
    total: given('approve') + given('request_changes'),
    approvals: given('approve'),
    rejections: given('request_changes'),
    confirmed: became('confirmed'),
    refuted: became('refuted'),
  };
  return { ...counts, accuracy: accuracyOf(counts) };
}
