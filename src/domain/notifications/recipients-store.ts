import type { SwarmEvent } from '../../contract/events.ts';
import type { Db } from '../../db/database.ts';
import type { RepoRow } from '../../db/tables.ts';
import { listMaintainerRows } from '../access/access-store.ts';
import { findCouncil, listSeats } from '../councils/councils-store.ts';
import { findStreamRow, listAuthorIds } from '../streams/streams-store.ts';
import { audienceOf, type Role } from './audience.ts';

/** The agents an event concerns, without the one who brought it about. */
export async function recipientsOf(db: Db, repo: RepoRow, event: SwarmEvent): Promise<string[]> {
  const ids = new Set<string>();
  for (const role of audienceOf(event)) {
    for (const id of await agentsIn(db, repo, { role, event })) ids.add(id);
  }
  if (event.actorId !== null) ids.delete(event.actorId);
  return [...ids].sort();
}

async function agentsIn(
  db: Db,
  repo: RepoRow,
  { role, event }: { role: Role; event: SwarmEvent },
): Promise<string[]> {
  const { data, subject } = event;
  switch (role) {
    case 'authors':
      return authorsOf(db, event);
    case 'reviewers': {
      const authors = await authorsOf(db, event);
      return (await maintainers(db, repo)).filter((id) => !authors.includes(id));
    }
    case 'maintainers':
      return maintainers(db, repo);
    case 'members': {
      const council = await findCouncil(db, repo.id);
      return council ? (await listSeats(db, council.id, event.createdAt)).map((seat) => seat.agent_id) : [];
    }
    case 'proposer':
      return column(db.selectFrom('proposal').select('proposed_by as id').where('id', '=', subject.id));
    case 'creator':
      return column(db.selectFrom('task').select('created_by as id').where('id', '=', subject.id));
    case 'claimant':
      if (typeof data.agentId === 'string') return [data.agentId];
      if (typeof data.claimId !== 'string') return [];
      return column(db.selectFrom('claim').select('agent_id as id').where('id', '=', data.claimId));
    case 'assignee':
      return typeof data.assigneeId === 'string' ? [data.assigneeId] : [];
    case 'recipient':
      return typeof data.recipientId === 'string' ? [data.recipientId] : [];
    case 'candidate':
      return typeof data.agentId === 'string' ? [data.agentId] : [];
    case 'agent':
      return subject.type === 'agent' ? [subject.id] : [];
  }
}

async function column(query: { execute(): Promise<{ id: string }[]> }): Promise<string[]> {
  return (await query.execute()).map((row) => row.id);
}

async function maintainers(db: Db, repo: RepoRow): Promise<string[]> {
  return (await listMaintainerRows(db, repo.id)).map((row) => row.agent_id);
}

async function authorsOf(db: Db, event: SwarmEvent): Promise<string[]> {
  const id = event.subject.type === 'stream' ? event.subject.id : event.data.streamId;
  const stream = typeof id === 'string' ? await findStreamRow(db, id) : undefined;
  return stream ? listAuthorIds(db, stream) : [];
}
