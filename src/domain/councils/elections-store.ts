import type { Candidate, Election } from '../../contract/elections.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { ElectionCandidateRow, ElectionRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';

export async function insertElection(
  tx: Tx,
  row: Omit<ElectionRow, 'handle' | 'handle_length'>,
): Promise<ElectionRow> {
  const complete: ElectionRow = { ...row, ...(await newHandle(tx, 'election', row.id)) };
  await tx.insertInto('election').values(complete).execute();
  return complete;
}

export async function getElectionRow(db: Db, id: string): Promise<ElectionRow> {
  const row = await db.selectFrom('election').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row)
    throw new SwarmError('not_found', `There is no election ${id}.`, { fix: 'gitswarm council show' });
  return row;
}

export async function findRunningElection(db: Db, councilId: string): Promise<ElectionRow | undefined> {
  return db
    .selectFrom('election')
    .selectAll()
    .where('council_id', '=', councilId)
    .where('status', 'in', ['nominations', 'voting'])
    .executeTakeFirst();
}

export async function updateElectionRow(
  tx: Tx,
  id: string,
  changes: Partial<ElectionRow>,
): Promise<ElectionRow> {
  return tx
    .updateTable('election')
    .set(changes)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Newest first. */
export async function listElectionRows(
  db: Db,
  filter: { repoId: string; status?: string | undefined; beforeId?: string | undefined; limit: number },
): Promise<ElectionRow[]> {
  let query = db.selectFrom('election').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.status) query = query.where('status', '=', filter.status);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}

export async function listCandidates(db: Db, electionId: string): Promise<ElectionCandidateRow[]> {
  return db
    .selectFrom('election_candidate')
    .selectAll()
    .where('election_id', '=', electionId)
    .orderBy('nominated_at')
    .orderBy('agent_id')
    .execute();
}

export async function upsertCandidate(tx: Tx, row: ElectionCandidateRow): Promise<void> {
  await tx
    .insertInto('election_candidate')
    .values(row)
    .onConflict((c) => c.columns(['election_id', 'agent_id']).doUpdateSet(row))
    .execute();
}

export async function upsertElectionVote(
  tx: Tx,
  row: { election_id: string; voter_id: string; candidate_id: string; voted_at: string },
): Promise<void> {
  await tx
    .insertInto('election_vote')
    .values(row)
    .onConflict((c) =>
      c
        .columns(['election_id', 'voter_id'])
        .doUpdateSet({ candidate_id: row.candidate_id, voted_at: row.voted_at }),
    )
    .execute();
}

/** How many votes each candidate has; whoever was suspended since has none to give. */
export async function countElectionVotes(db: Db, electionId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('election_vote')
    .innerJoin('agent', 'agent.id', 'election_vote.voter_id')
    .select((e) => ['candidate_id', e.fn.countAll<number>().as('n')])
    .where('election_id', '=', electionId)
    .where('agent.status', '=', 'active')
    .groupBy('candidate_id')
    .execute();
  return new Map(rows.map((row) => [row.candidate_id, Number(row.n)]));
}

export function handleOfElection(row: ElectionRow): string {
  return handleOf('election', row);
}

export async function toElection(db: Db, row: ElectionRow): Promise<Election> {
  const candidates = await listCandidates(db, row.id);
  const ids = candidates.map((candidate) => candidate.agent_id);
  const agents =
    ids.length === 0
      ? []
      : await db.selectFrom('agent').select(['id', 'name']).where('id', 'in', ids).execute();
  const votes = await countElectionVotes(db, row.id);
  return {
    id: row.id,
    handle: handleOfElection(row),
    repoId: row.repo_id,
    councilId: row.council_id,
    seats: row.seats,
    status: row.status as Election['status'],
    candidates: candidates.map((candidate) => ({
      agentId: candidate.agent_id,
      agentName: agents.find((agent) => agent.id === candidate.agent_id)?.name ?? '',
      nominatedBy: candidate.nominated_by,
      statement: candidate.statement,
      status: candidate.status as Candidate['status'],
      votes: votes.get(candidate.agent_id) ?? 0,
      nominatedAt: candidate.nominated_at,
      acceptedAt: candidate.accepted_at,
    })),
    votesCast: [...votes.values()].reduce((sum, n) => sum + n, 0),
    nominationsEndAt: row.nominations_end_at,
    votingEndAt: row.voting_end_at,
    createdBy: row.created_by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}
