import { SwarmError } from '../../contract/errors.ts';
import type { Stream, StreamCommit, StreamConflict, StreamState } from '../../contract/streams.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { StreamRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';
import { statusPair } from './stream-states.ts';

export async function insertStream(
  tx: Tx,
  row: Omit<StreamRow, 'handle' | 'handle_length'>,
): Promise<StreamRow> {
  const complete: StreamRow = { ...row, ...(await newHandle(tx, 'stream', row.id)) };
  await tx.insertInto('stream').values(complete).execute();
  return complete;
}

const byId = prepared((db, id: string) => db.selectFrom('stream').selectAll().where('id', '=', id));

export async function findStreamRow(db: Db, id: string): Promise<StreamRow | undefined> {
  return (await byId(db, id))[0];
}

export async function findStreamByBranch(
  db: Db,
  repoId: string,
  branch: string,
): Promise<StreamRow | undefined> {
  return db
    .selectFrom('stream')
    .selectAll()
    .where('repo_id', '=', repoId)
    .where('branch', '=', branch)
    .executeTakeFirst();
}

export async function getStreamRow(db: Db, id: string): Promise<StreamRow> {
  const row = await findStreamRow(db, id);
  if (!row) throw new SwarmError('not_found', `There is no stream ${id}.`, { fix: 'gitswarm stream list' });
  return row;
}

export async function updateStreamRow(tx: Tx, id: string, changes: Partial<StreamRow>): Promise<StreamRow> {
  return tx.updateTable('stream').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export interface StreamFilter {
  repoId: string;
  states?: StreamState[] | undefined;
  agentId?: string | undefined;
  parentId?: string | undefined;
  afterId?: string | undefined;
  limit: number;
}

/** Streams in the order of their ids, which is the order of their creation. */
export async function listStreamRows(db: Db, filter: StreamFilter): Promise<StreamRow[]> {
  let query = db.selectFrom('stream').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.states) query = query.where('state', 'in', filter.states);
  if (filter.agentId) query = query.where('agent_id', '=', filter.agentId);
  if (filter.parentId) query = query.where('parent_stream_id', '=', filter.parentId);
  if (filter.afterId) query = query.where('id', '>', filter.afterId);
  return query.orderBy('id').limit(filter.limit).execute();
}

/** The direct dependants of a stream, oldest first. */
export async function listChildRows(db: Db, parentId: string): Promise<StreamRow[]> {
  return db.selectFrom('stream').selectAll().where('parent_stream_id', '=', parentId).orderBy('id').execute();
}

export async function countStreams(db: Db, repoId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('stream')
    .select((e) => ['state', e.fn.countAll<number>().as('n')])
    .where('repo_id', '=', repoId)
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.state, Number(row.n)]));
}

export async function replaceCommits(tx: Tx, streamId: string, commits: StreamCommit[]): Promise<void> {
  await tx.deleteFrom('stream_commit').where('stream_id', '=', streamId).execute();
  const rows = commits.map((commit, position) => ({
    stream_id: streamId,
    position,
    commit_hash: commit.commit,
    change_id: commit.changeId,
    patch_id: commit.patchId,
    message: commit.message,
    author: commit.author,
  }));
  for (let i = 0; i < rows.length; i += 500) {
    await tx
      .insertInto('stream_commit')
      .values(rows.slice(i, i + 500))
      .execute();
  }
}

/** The commits of a stream, oldest first. */
export async function listCommitRows(db: Db, streamId: string): Promise<StreamCommit[]> {
  const rows = await db
    .selectFrom('stream_commit')
    .selectAll()
    .where('stream_id', '=', streamId)
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    commit: row.commit_hash,
    changeId: row.change_id,
    message: row.message,
    author: row.author,
    patchId: row.patch_id,
  }));
}

export async function insertStreamAuthor(
  tx: Tx,
  streamId: string,
  agentId: string,
  now: string,
): Promise<void> {
  await tx
    .insertInto('stream_author')
    .values({ stream_id: streamId, agent_id: agentId, created_at: now })
    .onConflict((c) => c.columns(['stream_id', 'agent_id']).doNothing())
    .execute();
}

/** Everyone whose work the stream is: its author first, then those the author added. */
const authorsOf = prepared((db, streamId: string) =>
  db
    .selectFrom('stream_author')
    .select('agent_id')
    .where('stream_id', '=', streamId)
    .orderBy('created_at')
    .orderBy('agent_id'),
);

export async function listAuthorIds(db: Db, stream: StreamRow): Promise<string[]> {
  const rows = await authorsOf(db, stream.id);
  return [stream.agent_id, ...rows.map((row) => row.agent_id).filter((id) => id !== stream.agent_id)];
}

export async function isStreamAuthor(db: Db, stream: StreamRow, agentId: string): Promise<boolean> {
  return (await listAuthorIds(db, stream)).includes(agentId);
}

export function stateOf(row: StreamRow): StreamState {
  return row.state as StreamState;
}

export function handleOfStream(row: StreamRow): string {
  return handleOf('stream', row);
}

/** Rows as the contract gives them, with the names of their authors, in the same order. */
export async function toStreams(db: Db, rows: StreamRow[]): Promise<Stream[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const authors = await db
    .selectFrom('stream_author')
    .select(['stream_id', 'agent_id'])
    .where('stream_id', 'in', ids)
    .orderBy('created_at')
    .orderBy('agent_id')
    .execute();
  const agents = await db
    .selectFrom('agent')
    .select(['id', 'name'])
    .where('id', 'in', [...new Set(rows.map((row) => row.agent_id))])
    .execute();
  const names = new Map(agents.map((agent) => [agent.id, agent.name]));
  return rows.map((row) => ({
    ...plainStream(row),
    authorName: names.get(row.agent_id) ?? '',
    coAuthorIds: authors
      .filter((a) => a.stream_id === row.id && a.agent_id !== row.agent_id)
      .map((a) => a.agent_id),
  }));
}

export async function toStream(db: Db, row: StreamRow): Promise<Stream> {
  const [stream] = await toStreams(db, [row]);
  if (!stream) throw new SwarmError('internal', `Stream ${row.id} could not be shown.`);
  return stream;
}

function plainStream(row: StreamRow): Omit<Stream, 'authorName' | 'coAuthorIds'> {
  return {
    id: row.id,
    handle: handleOfStream(row),
    repoId: row.repo_id,
    name: row.name,
    branch: row.branch,
    authorId: row.agent_id,
    state: stateOf(row),
    ...statusPair(stateOf(row)),
    stateReason: row.state_reason,
    conflict: row.conflict ? (JSON.parse(row.conflict) as StreamConflict) : null,
    source: row.source as Stream['source'],
    taskId: row.task_id,
    parentStreamId: row.parent_stream_id,
    revertOfStreamId: row.revert_of_stream_id,
    baseBranch: row.base_branch,
    baseCommit: row.base_commit,
    head: row.head,
    patchId: row.patch_id,
    paths: JSON.parse(row.paths) as string[],
    commitCount: row.commit_count,
    mergedCommit: row.merged_commit,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
