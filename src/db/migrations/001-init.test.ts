import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../../test/support/databases.ts';
import { makeKernel } from '../../../test/support/kernel.ts';
import { newId } from '../../base/ids.ts';
import { agentOperations } from '../../operations/agents.ts';
import { repoOperations } from '../../operations/repos.ts';
import type { Database, Tx } from '../database.ts';
import { isUniqueViolation } from '../dialect-sql.ts';
import type { EventRow, MergeRow, ReviewRow, StreamRow } from '../tables.ts';

const OID = 'a'.repeat(40);
const AT = '2026-01-01T00:00:00.000Z';

/** Every table with its columns, in the words of the database itself. */
async function columnsOf(database: Database): Promise<string[]> {
  const query =
    database.kind === 'sqlite'
      ? sql<{
          name: string;
        }>`select t.name || '.' || c.name as name from sqlite_master t, pragma_table_info(t.name) c
          where t.type = 'table' and t.name not like 'sqlite_%'`
      : sql<{ name: string }>`select table_name || '.' || column_name as name from information_schema.columns
          where table_schema = current_schema()`;
  return (await query.execute(database.read)).rows.map((row) => row.name).sort();
}

const seen: string[][] = [];

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const database = await makeDatabase();
    const { owner, repoId } = await makeKernel(database, [...agentOperations, ...repoOperations]).seedRepo();
    const streamId = newId();
    const stream: StreamRow = {
      id: streamId,
      handle: 'a',
      handle_length: 4,
      repo_id: repoId,
      agent_id: owner.id,
      name: 'work',
      branch: 'stream/a',
      source: 'cli',
      state: 'active',
      state_before: null,
      state_reason: null,
      conflict: null,
      task_id: null,
      parent_stream_id: null,
      revert_of_stream_id: null,
      base_branch: 'buffer',
      base_commit: OID,
      head: OID,
      patch_id: '',
      paths: '[]',
      commit_count: 0,
      merged_commit: null,
      created_at: AT,
      updated_at: AT,
    };
    const insert = (run: (tx: Tx) => Promise<unknown>) =>
      database.write(run).then(
        () => 'kept',
        (error: unknown) => (isUniqueViolation(error) ? 'exists already' : 'refused'),
      );
    await insert((tx) => tx.insertInto('stream').values(stream).execute());
    return { database, insert, stream, owner, repoId };
  }

  it('has the same tables and columns on every database', async () => {
    seen.push(await columnsOf(await makeDatabase()));
    expect(seen.at(-1)).toContain('event.seq');
    expect(seen.at(-1)).toEqual(seen[0]);
  });

  it('gives a branch to one stream of a repository', async () => {
    const { insert, stream } = await start();
    const again = { ...stream, id: newId() };
    expect(await insert((tx) => tx.insertInto('stream').values(again).execute())).toBe('exists already');
    const other = { ...again, branch: 'stream/b' };
    expect(await insert((tx) => tx.insertInto('stream').values(other).execute())).toBe('kept');
  });

  it('refuses words it does not know and rows that refer to nothing', async () => {
    const { insert, stream } = await start();
    const wrong: Partial<StreamRow>[] = [
      { state: 'lost' },
      { repo_id: newId() },
      { parent_stream_id: newId() },
    ];
    for (const part of wrong) {
      const row = { ...stream, id: newId(), branch: newId(), ...part };
      expect(await insert((tx) => tx.insertInto('stream').values(row).execute())).toBe('refused');
    }
  });

  it('keeps one standing verdict per reviewer and one live landing per stream', async () => {
    const { insert, stream, owner, repoId } = await start();
    const review = (standing: number): ReviewRow => ({
      id: newId(),
      stream_id: stream.id,
      reviewer_id: owner.id,
      review_block_id: null,
      verdict: 'approve',
      feedback: '',
      is_human: 1,
      tested: 0,
      head: OID,
      patch_id: '',
      stream_patch_id: null,
      standing,
      reviewed_at: AT,
    });
    const addReview = (standing: number) =>
      insert((tx) => tx.insertInto('review').values(review(standing)).execute());
    expect([await addReview(0), await addReview(0), await addReview(1)]).toEqual(['kept', 'kept', 'kept']);
    expect(await addReview(1)).toBe('exists already');

    const merge = (state: string): MergeRow => ({
      id: newId(),
      handle: newId(),
      handle_length: 4,
      repo_id: repoId,
      kind: 'stream',
      state,
      stream_id: stream.id,
      reverts_merge_id: null,
      requested_by: owner.id,
      head: OID,
      patch_id: '',
      priority: 'medium',
      rank: -Date.parse(AT),
      is_fix: 0,
      forced: 0,
      reason: null,
      commit_hash: null,
      buffer_before: null,
      holder: null,
      tested_tree: null,
      decided_by: '[]',
      requested_at: AT,
      prepared_at: null,
      landed_at: null,
      ended_at: null,
    });
    const addMerge = (state: string) => insert((tx) => tx.insertInto('merge').values(merge(state)).execute());
    expect([await addMerge('landed'), await addMerge('withdrawn'), await addMerge('requested')]).toEqual([
      'kept',
      'kept',
      'kept',
    ]);
    expect(await addMerge('prepared')).toBe('exists already');
  });

  it('numbers events in the order of their writing and never gives a number twice', async () => {
    const { database, repoId } = await start();
    const event = (): Omit<EventRow, 'seq'> => ({
      id: newId(),
      repo_id: repoId,
      type: 'task.created',
      actor_id: null,
      subject_type: 'task',
      subject_id: 'x',
      data: '{}',
      created_at: AT,
    });
    const add = () =>
      database.write((tx) => tx.insertInto('event').values([event(), event()]).returning('seq').execute());
    const first = (await add()).map((row) => row.seq);
    await database.write((tx) => tx.deleteFrom('event').where('seq', 'in', first).execute());
    const second = (await add()).map((row) => row.seq);
    expect(Math.min(...second)).toBeGreaterThan(Math.max(...first));
  });
});
