import type { CouncilRow, ElectionRow } from '../../db/tables.ts';
import { getAgent } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { refreshCouncil, seat } from './council-effects.ts';
import { findSeat, getCouncilById, listSeats } from './councils-store.ts';
import { elect } from './election-rules.ts';
import {
  countElectionVotes,
  findRunningElection,
  listCandidates,
  updateElectionRow,
  upsertCandidate,
} from './elections-store.ts';

/** Nominations are over: those who accepted run. */
export async function beginVoting(ctx: EffectContext, election: ElectionRow): Promise<ElectionRow> {
  ctx.emit({
    type: 'election.voting_started',
    subject: { type: 'election', id: election.id },
    repoId: election.repo_id,
  });
  return updateElectionRow(ctx.db, election.id, { status: 'voting' });
}

/** Counts, seats whom the votes chose, and ends the election. Who sits already and is elected begins a new term. */
export async function countAndSeat(ctx: EffectContext, election: ElectionRow): Promise<ElectionRow> {
  const council = await getCouncilById(ctx.db, election.council_id);
  const votes = await countElectionVotes(ctx.db, election.id);
  const candidates = await listCandidates(ctx.db, election.id);
  const runners = [];
  for (const row of candidates) {
    if (row.status !== 'accepted') continue;
    const agent = await getAgent(ctx.db, row.agent_id);
    if (agent.status !== 'active') continue;
    const cast = votes.get(row.agent_id) ?? 0;
    runners.push({ agentId: agent.id, votes: cast, karma: agent.karma, acceptedAt: row.accepted_at ?? '' });
  }
  const elected = await withinSeats(ctx, council, elect(runners, election.seats));
  for (const row of candidates) {
    const status = elected.includes(row.agent_id) ? 'elected' : 'not_elected';
    await upsertCandidate(ctx.db, { ...row, status, votes: votes.get(row.agent_id) ?? 0 });
  }
  for (const agentId of elected) {
    const { name } = await getAgent(ctx.db, agentId);
    await seat(ctx, council, { agentId, name, reason: 'elected', by: null });
  }
  ctx.emit({
    type: 'election.completed',
    subject: { type: 'election', id: election.id },
    data: { elected, votes: Object.fromEntries([...votes].sort()) },
    repoId: election.repo_id,
  });
  const ended = await updateElectionRow(ctx.db, election.id, { status: 'completed', ended_at: ctx.now });
  await refreshCouncil(ctx, council);
  return ended;
}

/** Seats may have been taken since the election began: the first of the elected get those that are left. */
async function withinSeats(ctx: EffectContext, council: CouncilRow, elected: string[]): Promise<string[]> {
  let free = council.max_members - (await listSeats(ctx.db, council.id, ctx.now)).length;
  const seated: string[] = [];
  for (const agentId of elected) {
    const current = await findSeat(ctx.db, council.id, agentId);
    const sits = current !== undefined && current.term_expires_at > ctx.now;
    if (!sits && free <= 0) continue;
    if (!sits) free--;
    seated.push(agentId);
  }
  return seated;
}

/** Ends the phases of an election whose time is over; answers whether one ended. */
export async function advanceElection(ctx: EffectContext, council: CouncilRow): Promise<boolean> {
  const election = await findRunningElection(ctx.db, council.id);
  if (!election) return false;
  const isOver = (at: string | null) => at !== null && at <= ctx.now;
  if (election.status === 'voting' && isOver(election.voting_end_at)) {
    await countAndSeat(ctx, election);
    return true;
  }
  if (election.status !== 'nominations' || !isOver(election.nominations_end_at)) return false;
  const voting = await beginVoting(ctx, election);
  if (isOver(election.voting_end_at)) await countAndSeat(ctx, voting);
  return true;
}
