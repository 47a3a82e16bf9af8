import type { Db, Tx } from '../../db/database.ts';
import type { StreamRow } from '../../db/tables.ts';
import { listCommitRows } from '../streams/streams-store.ts';
import { type Block, blocksOf } from './blocks.ts';

export async function blocksOfStream(db: Db, stream: Pick<StreamRow, 'id'>): Promise<Block[]> {
  return blocksOf(stream.id, await listCommitRows(db, stream.id), await listJoins(db, stream.id));
}

export async function listJoins(db: Db, streamId: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('block_join')
    .select('commit_key')
    .where('stream_id', '=', streamId)
    .execute();
  return new Set(rows.map((row) => row.commit_key));
}

export async function insertJoins(tx: Tx, streamId: string, keys: string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx
    .insertInto('block_join')
    .values(keys.map((key) => ({ stream_id: streamId, commit_key: key })))
    .onConflict((c) => c.columns(['stream_id', 'commit_key']).doNothing())
    .execute();
}

export async function deleteJoin(tx: Tx, streamId: string, key: string): Promise<void> {
  await tx.deleteFrom('block_join').where('stream_id', '=', streamId).where('commit_key', '=', key).execute();
}
