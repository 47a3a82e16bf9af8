import { SwarmError } from '../../contract/errors.ts';
import type { CouncilVote, Proposal, ProposalType } from '../../contract/proposals.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { CouncilRow, ProposalRow, ProposalVoteRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { handleOf } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';
import { effectiveQuorum, statusNow } from './council-rules.ts';
import { getCouncilById, listSeats } from './councils-store.ts';
import { type Tally, tally, tierOf } from './proposal-rules.ts';

export async function insertProposal(
  tx: Tx,
  row: Omit<ProposalRow, 'handle' | 'handle_length'>,
): Promise<ProposalRow> {
  const complete: ProposalRow = { ...row, ...(await newHandle(tx, 'proposal', row.id)) };
  await tx.insertInto('proposal').values(complete).execute();
  return complete;
}

export async function getProposalRow(db: Db, id: string): Promise<ProposalRow> {
  const row = await db.selectFrom('proposal').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) {
    throw new SwarmError('not_found', `There is no proposal ${id}.`, { fix: 'gitswarm council proposals' });
  }
  return row;
}

export async function updateProposalRow(
  tx: Tx,
  id: string,
  changes: Partial<ProposalRow>,
): Promise<ProposalRow> {
  return tx
    .updateTable('proposal')
    .set(changes)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Newest first; those that wait to be carried out oldest first. */
export async function listProposalRows(
  db: Db,
  filter: {
    repoId: string;
    status?: string | undefined;
    pending?: boolean | undefined;
    beyondId?: string | undefined;
    limit: number;
  },
): Promise<ProposalRow[]> {
  let query = db.selectFrom('proposal').selectAll().where('repo_id', '=', filter.repoId).limit(filter.limit);
  if (filter.status) query = query.where('status', '=', filter.status);
  if (filter.pending) {
    query = query.where('status', '=', 'passed').where('executed_at', 'is', null);
    if (filter.beyondId) query = query.where('id', '>', filter.beyondId);
    return query.orderBy('id').execute();
  }
  if (filter.beyondId) query = query.where('id', '<', filter.beyondId);
  return query.orderBy('id', 'desc').execute();
}

export async function listOpenProposals(db: Db, councilId: string): Promise<ProposalRow[]> {
  return db
    .selectFrom('proposal')
    .selectAll()
    .where('council_id', '=', councilId)
    .where('status', '=', 'open')
    .orderBy('id')
    .execute();
}

export async function upsertVote(tx: Tx, row: ProposalVoteRow): Promise<void> {
  await tx
    .insertInto('proposal_vote')
    .values(row)
    .onConflict((c) =>
      c
        .columns(['proposal_id', 'agent_id'])
        .doUpdateSet({ vote: row.vote, comment: row.comment, voted_at: row.voted_at }),
    )
    .execute();
}

async function listVotes(db: Db, proposalId: string): Promise<ProposalVoteRow[]> {
  return db
    .selectFrom('proposal_vote')
    .selectAll()
    .where('proposal_id', '=', proposalId)
    .orderBy('voted_at')
    .orderBy('agent_id')
    .execute();
}

/** What the votes of those who are seated now come to. */
async function tallyNow(
  db: Db,
  council: CouncilRow,
  proposal: ProposalRow,
  now: string,
): Promise<Tally & { quorum: number }> {
  const seats = (await listSeats(db, council.id, now)).map((seat) => seat.agent_id);
  const tier = tierOf(proposal.type as ProposalType);
  const quorum = effectiveQuorum(
    tier === 'critical' ? council.critical_quorum : council.standard_quorum,
    seats.length,
  );
  const votes = (await listVotes(db, proposal.id)).filter((vote) => seats.includes(vote.agent_id));
  const isOver = proposal.expires_at <= now;
  const counted = tally({
    seats: seats.length,
    quorum,
    votes: votes.map((vote) => vote.vote as CouncilVote),
    isOver,
  });
  // Only an active council decides.
  const isActive = statusNow(council, seats.length) === 'active';
  const status = isActive ? counted.status : isOver ? 'expired' : 'open';
  return { ...counted, status, quorum };
}

/** Ends a proposal whose outcome is certain or whose time is over; answers it as it is now. */
export async function resolveProposal(ctx: EffectContext, proposal: ProposalRow): Promise<ProposalRow> {
  if (proposal.status !== 'open') return proposal;
  const council = await getCouncilById(ctx.db, proposal.council_id);
  const result = await tallyNow(ctx.db, council, proposal, ctx.now);
  if (result.status === 'open') {
    return result.quorum === proposal.quorum_required
      ? proposal
      : updateProposalRow(ctx.db, proposal.id, { quorum_required: result.quorum });
  }
  ctx.emit({
    type: 'proposal.resolved',
    subject: { type: 'proposal', id: proposal.id },
    data: {
      type: proposal.type,
      title: proposal.title,
      status: result.status,
      for: result.for,
      against: result.against,
      abstain: result.abstain,
      quorum: result.quorum,
    },
    repoId: proposal.repo_id,
  });
  return updateProposalRow(ctx.db, proposal.id, {
    status: result.status,
    quorum_required: result.quorum,
    resolved_at: ctx.now,
  });
}

export function handleOfProposal(row: ProposalRow): string {
  return handleOf('proposal', row);
}

export async function toProposal(db: Db, row: ProposalRow, now: string): Promise<Proposal> {
  const votes = await listVotes(db, row.id);
  const ids = [...new Set([row.proposed_by, ...votes.map((vote) => vote.agent_id)])];
  const agents = await db.selectFrom('agent').select(['id', 'name']).where('id', 'in', ids).execute();
  const nameOf = (id: string) => agents.find((agent) => agent.id === id)?.name ?? '';
  const council = await getCouncilById(db, row.council_id);
  const counts =
    row.status === 'open' ? await tallyNow(db, council, row, now) : countAll(votes, row.quorum_required);
  const type = row.type as ProposalType;
  return {
    id: row.id,
    handle: handleOfProposal(row),
    repoId: row.repo_id,
    councilId: row.council_id,
    type,
    tier: tierOf(type),
    title: row.title,
    description: row.description,
    data: JSON.parse(row.data) as Record<string, unknown>,
    status: row.status as Proposal['status'],
    proposedBy: row.proposed_by,
    proposedByName: nameOf(row.proposed_by),
    votesFor: counts.for,
    votesAgainst: counts.against,
    votesAbstain: counts.abstain,
    votes: votes.map((vote) => ({
      agentId: vote.agent_id,
      agentName: nameOf(vote.agent_id),
      vote: vote.vote as CouncilVote,
      comment: vote.comment,
      votedAt: vote.voted_at,
    })),
    quorumRequired: counts.quorum,
    plan: row.plan === null ? null : (JSON.parse(row.plan) as Record<string, unknown>),
    executed: row.executed_at !== null,
    executedAt: row.executed_at,
    execution:
      row.execution_result === null ? null : (JSON.parse(row.execution_result) as Proposal['execution']),
    expiresAt: row.expires_at,
    proposedAt: row.proposed_at,
    resolvedAt: row.resolved_at,
  };
}

function countAll(votes: ProposalVoteRow[], quorum: number) {
  const number = (word: CouncilVote) => votes.filter((vote) => vote.vote === word).length;
  return { for: number('for'), against: number('against'), abstain: number('abstain'), quorum };
}
