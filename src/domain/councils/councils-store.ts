import { isoTime } from '../../base/clock.ts';
import type { Council, CouncilMember, CouncilSettings } from '../../contract/councils.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { CouncilMemberRow, CouncilRow } from '../../db/tables.ts';
import { effectiveQuorum, statusNow } from './council-rules.ts';

const NO_COUNCIL = 'gitswarm council create';

/** The council of a repository that has not been dissolved. */
export async function findCouncil(db: Db, repoId: string): Promise<CouncilRow | undefined> {
  return db
    .selectFrom('council')
    .selectAll()
    .where('repo_id', '=', repoId)
    .where('status', '<>', 'dissolved')
    .executeTakeFirst();
}

export async function getCouncil(db: Db, repoId: string): Promise<CouncilRow> {
  const row = await findCouncil(db, repoId);
  if (row) return row;
  throw new SwarmError('not_found', 'The repository has no council.', { fix: NO_COUNCIL });
}

export async function getCouncilById(db: Db, id: string): Promise<CouncilRow> {
  return db.selectFrom('council').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

/** The councils in which an agent has a seat, in repositories that are not archived. */
export async function listCouncilsOf(db: Db, agentId: string): Promise<CouncilRow[]> {
  return db
    .selectFrom('council')
    .innerJoin('council_member', 'council_member.council_id', 'council.id')
    .innerJoin('repo', 'repo.id', 'council.repo_id')
    .selectAll('council')
    .where('council_member.agent_id', '=', agentId)
    .where('council.status', '<>', 'dissolved')
    .where('repo.status', '=', 'active')
    .orderBy('council.id')
    .execute();
}

export async function insertCouncil(tx: Tx, row: CouncilRow): Promise<void> {
  await tx.insertInto('council').values(row).execute();
}

export async function updateCouncil(tx: Tx, id: string, changes: Partial<CouncilRow>): Promise<CouncilRow> {
  return tx.updateTable('council').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** Who holds a seat now: terms that are over and suspended agents hold none. In the order of joining. */
export async function listSeats(db: Db, councilId: string, now: string): Promise<CouncilMemberRow[]> {
  return db
    .selectFrom('council_member')
    .innerJoin('agent', 'agent.id', 'council_member.agent_id')
    .selectAll('council_member')
    .where('council_member.council_id', '=', councilId)
    .where('term_expires_at', '>', now)
    .where('agent.status', '=', 'active')
    .orderBy('joined_at')
    .orderBy('agent_id')
    .execute();
}

export async function findSeat(
  db: Db,
  councilId: string,
  agentId: string,
): Promise<CouncilMemberRow | undefined> {
  return db
    .selectFrom('council_member')
    .selectAll()
    .where('council_id', '=', councilId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
}

export async function listEndedTerms(db: Db, councilId: string, now: string): Promise<CouncilMemberRow[]> {
  return db
    .selectFrom('council_member')
    .selectAll()
    .where('council_id', '=', councilId)
    .where('term_expires_at', '<=', now)
    .orderBy('agent_id')
    .execute();
}

/** How many seats a council has ever given, terms that began anew among them; only the log knows of those that were left. */
export async function countSeatsEver(db: Db, council: CouncilRow): Promise<number> {
  const rows = await db
    .selectFrom('event')
    .select('data')
    .where('repo_id', '=', council.repo_id)
    .where('type', '=', 'council.seated')
    .execute();
  const told = rows.map(({ data }) => JSON.parse(data) as { councilId?: string; reason?: string });
  return told.filter(({ councilId, reason }) => councilId === council.id && reason !== ROLE_CHANGED).length;
}

/** What the log says of somebody who sat already and is the chair now, or is it no more. */
export const ROLE_CHANGED = 'role_changed';

export async function updateSeatRole(
  tx: Tx,
  seat: { councilId: string; agentId: string; role: 'chair' | 'member' },
): Promise<void> {
  await tx
    .updateTable('council_member')
    .set({ role: seat.role })
    .where('council_id', '=', seat.councilId)
    .where('agent_id', '=', seat.agentId)
    .execute();
}

/** Gives a seat, or begins the term of somebody who has one anew. */
export async function upsertSeat(tx: Tx, row: CouncilMemberRow): Promise<void> {
  await tx
    .insertInto('council_member')
    .values(row)
    .onConflict((c) =>
      c.columns(['council_id', 'agent_id']).doUpdateSet({
        role: row.role,
        reason: row.reason,
        seated_by: row.seated_by,
        term_expires_at: row.term_expires_at,
      }),
    )
    .execute();
}

/** There is one chair at most: whoever was it is a member again. */
export async function clearChair(tx: Tx, councilId: string): Promise<void> {
  await tx
    .updateTable('council_member')
    .set({ role: 'member' })
    .where('council_id', '=', councilId)
    .where('role', '=', 'chair')
    .execute();
}

export async function deleteSeat(tx: Tx, councilId: string, agentId: string): Promise<void> {
  await tx
    .deleteFrom('council_member')
    .where('council_id', '=', councilId)
    .where('agent_id', '=', agentId)
    .execute();
}

export function settingsOf(row: CouncilRow): CouncilSettings {
  return {
    minKarma: row.min_karma,
    minContributions: row.min_contributions,
    minMembers: row.min_members,
    maxMembers: row.max_members,
    standardQuorum: row.standard_quorum,
    criticalQuorum: row.critical_quorum,
    termLimitMonths: row.term_limit_months,
    electionIntervalDays: row.election_interval_days,
  };
}

export function settingColumns(settings: CouncilSettings) {
  return {
    min_karma: settings.minKarma,
    min_contributions: settings.minContributions,
    min_members: settings.minMembers,
    max_members: settings.maxMembers,
    standard_quorum: settings.standardQuorum,
    critical_quorum: settings.criticalQuorum,
    term_limit_months: settings.termLimitMonths,
    election_interval_days: settings.electionIntervalDays,
  };
}

export async function toCouncil(db: Db, row: CouncilRow, now: string): Promise<Council> {
  const seats = row.status === 'dissolved' ? [] : await listSeats(db, row.id, now);
  const last = await db
    .selectFrom('election')
    .select('ended_at')
    .where('council_id', '=', row.id)
    .where('status', '=', 'completed')
    .orderBy('ended_at', 'desc')
    .executeTakeFirst();
  const open = await db
    .selectFrom('proposal')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('council_id', '=', row.id)
    .where('status', '=', 'open')
    .executeTakeFirstOrThrow();
  const status = statusNow(row, seats.length);
  const since = Date.parse(last?.ended_at ?? row.created_at);
  return {
    id: row.id,
    repoId: row.repo_id,
    status,
    settings: settingsOf(row),
    seated: seats.length,
    quorum: {
      standard: effectiveQuorum(row.standard_quorum, seats.length),
      critical: effectiveQuorum(row.critical_quorum, seats.length),
    },
    members: await toMembers(db, seats),
    openProposals: Number(open.n),
    nextElectionDue: status === 'active' ? isoTime(since + row.election_interval_days * 86_400_000) : null,
    createdAt: row.created_at,
  };
}

export async function toMembers(db: Db, seats: CouncilMemberRow[]): Promise<CouncilMember[]> {
  const [first] = seats;
  if (!first) return [];
  const ids = seats.map((seat) => seat.agent_id);
  const agents = await db.selectFrom('agent').select(['id', 'name']).where('id', 'in', ids).execute();
  const votes = await db
    .selectFrom('proposal_vote')
    .innerJoin('proposal', 'proposal.id', 'proposal_vote.proposal_id')
    .select((e) => ['proposal_vote.agent_id', e.fn.countAll<number>().as('n')])
    .where('proposal.council_id', '=', first.council_id)
    .groupBy('proposal_vote.agent_id')
    .execute();
  const made = await db
    .selectFrom('proposal')
    .select((e) => ['proposed_by', e.fn.countAll<number>().as('n')])
    .where('council_id', '=', first.council_id)
    .groupBy('proposed_by')
    .execute();
  return seats.map((seat) => ({
    agentId: seat.agent_id,
    agentName: agents.find((agent) => agent.id === seat.agent_id)?.name ?? '',
    role: seat.role === 'chair' ? 'chair' : 'member',
    reason: seat.reason as CouncilMember['reason'],
    seatedBy: seat.seated_by,
    votesCast: Number(votes.find((row) => row.agent_id === seat.agent_id)?.n ?? 0),
    proposalsMade: Number(made.find((row) => row.proposed_by === seat.agent_id)?.n ?? 0),
    joinedAt: seat.joined_at,
    termExpiresAt: seat.term_expires_at,
  }));
}
