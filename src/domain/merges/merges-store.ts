import { isoTime } from '../../base/clock.ts';
import type { Priority } from '../../contract/common.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Merge, MergeState } from '../../contract/merges.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { MergeRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';
import { compareInQueue } from './queue-order.ts';

export const LIVE_STATES: MergeState[] = ['requested', 'prepared'];

export async function insertMerge(
  tx: Tx,
  row: Omit<MergeRow, 'handle' | 'handle_length'>,
): Promise<MergeRow> {
  const complete: MergeRow = { ...row, ...(await newHandle(tx, 'merge', row.id)) };
  await tx.insertInto('merge').values(complete).execute();
  return complete;
}

const byId = prepared((db, id: string) => db.selectFrom('merge').selectAll().where('id', '=', id));

export async function getMergeRow(db: Db, id: string): Promise<MergeRow> {
  const [row] = await byId(db, id);
  if (!row) throw new SwarmError('not_found', `There is no merge ${id}.`);
  return row;
}

/** The standing wish of a stream to land, if it has one. */
export async function findLiveMerge(db: Db, streamId: string): Promise<MergeRow | undefined> {
  return db
    .selectFrom('merge')
    .selectAll()
    .where('stream_id', '=', streamId)
    .where('state', 'in', LIVE_STATES)
    .executeTakeFirst();
}

/** The landings of a stream that have not been reverted, newest first. */
export async function listLandings(db: Db, streamId: string): Promise<MergeRow[]> {
  return db
    .selectFrom('merge')
    .selectAll()
    .where('stream_id', '=', streamId)
    .where('kind', '=', 'stream')
    .where('state', '=', 'landed')
    .orderBy('landed_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

export async function updateMergeRow(tx: Tx, id: string, changes: Partial<MergeRow>): Promise<MergeRow> {
  return tx.updateTable('merge').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** Newest first. */
export async function listMergeRows(
  db: Db,
  filter: {
    repoId: string;
    state?: string | undefined;
    kind?: string | undefined;
    streamId?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<MergeRow[]> {
  let query = db.selectFrom('merge').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.state) query = query.where('state', '=', filter.state);
  if (filter.kind) query = query.where('kind', '=', filter.kind);
  if (filter.streamId) query = query.where('stream_id', '=', filter.streamId);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}

/** The queue of a repository: requested and prepared landings in the order in which they should land. */
const liveInRepo = prepared((db, repoId: string) =>
  db.selectFrom('merge').selectAll().where('repo_id', '=', repoId).where('state', 'in', LIVE_STATES),
);

export async function listQueueRows(db: Db, repoId: string): Promise<MergeRow[]> {
  return (await liveInRepo(db, repoId)).sort(compareInQueue);
}

/** How long a landing that was prepared may take, in milliseconds. */
const PERMIT_MS = 10 * 60_000;

function permitUntil(preparedAt: string | null): string | null {
  return preparedAt === null ? null : isoTime(Date.parse(preparedAt) + PERMIT_MS);
}

export function toMerge(row: MergeRow, position: number | null = null): Merge {
  return {
    id: row.id,
    handle: handleOf('merge', row),
    repoId: row.repo_id,
    kind: row.kind as Merge['kind'],
    state: row.state as MergeState,
    streamId: row.stream_id,
    revertsMergeId: row.reverts_merge_id,
    requestedBy: row.requested_by,
    head: row.head,
    patchId: row.patch_id,
    priority: row.priority as Priority,
    rank: row.rank,
    isFix: row.is_fix === 1,
    forced: row.forced === 1,
    reason: row.reason,
    commit: row.commit_hash,
    bufferBefore: row.buffer_before,
    holder: row.holder,
    testedTree: row.tested_tree,
    position,
    requestedAt: row.requested_at,
    landedAt: row.landed_at,
    permitUntil: row.state === 'prepared' ? permitUntil(row.prepared_at) : null,
  };
}
