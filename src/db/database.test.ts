import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type Db, openDatabase, type Tx } from './database.ts';
import { isUniqueViolation } from './dialect-sql.ts';

const receipt = { actor_id: 'a', key: 'k', operation: 'o', body_hash: 'h', answer: '0', created_at: 't' };
const countUp = new URL('./fixtures/count-up.ts', import.meta.url).pathname;
const start = promisify(execFile);

async function insert(tx: Tx, values: Partial<typeof receipt> = {}): Promise<void> {
  await tx
    .insertInto('receipt')
    .values({ ...receipt, ...values })
    .execute();
}

async function answers(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('receipt').select('answer').orderBy('answer').execute();
  return rows.map((row) => row.answer);
}

async function addOne(tx: Tx): Promise<void> {
  const [answer] = await answers(tx);
  await tx
    .updateTable('receipt')
    .set({ answer: String(Number(answer) + 1) })
    .execute();
}

forEachDatabase((kind, makeDatabase) => {
  it('keeps what a write committed, and returns its result', async () => {
    const database = await makeDatabase();
    expect(database.kind).toBe(kind);
    expect(await database.write(async (tx) => insert(tx).then(() => 7))).toBe(7);
    expect(await database.read.selectFrom('receipt').selectAll().execute()).toStrictEqual([receipt]);
  });

  it('keeps nothing of a write that throws', async () => {
    const database = await makeDatabase();
    const failing = database.write(async (tx) => {
      await insert(tx);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await answers(database.read)).toEqual([]);
  });

  it('shows readers only what is committed', async () => {
    const database = await makeDatabase();
    await database.write(async (tx) => {
      await insert(tx);
      expect(await answers(tx)).toEqual(['0']);
      expect(await answers(database.read)).toEqual([]);
    });
    expect(await answers(database.read)).toEqual(['0']);
  });

  it('refuses a write inside a write', async () => {
    const database = await makeDatabase();
    const nested = database.write(() => database.write(async () => 1));
    await expect(nested).rejects.toMatchObject({ code: 'internal' });
    expect(await database.write(async () => 2)).toBe(2);
  });

  it('refuses a transaction that is over', async () => {
    const database = await makeDatabase();
    let kept: Tx | undefined;
    await database.write(async (tx) => {
      kept = tx;
    });
    await expect(kept && insert(kept)).rejects.toThrow(/committed/);
    expect(await answers(database.read)).toEqual([]);
  });

  it('spoils the whole transaction when one statement fails, even if the error is caught', async () => {
    const database = await makeDatabase();
    const spoilt = database.write(async (tx) => {
      await insert(tx);
      await insert(tx).catch(() => undefined);
    });
    await expect(spoilt).rejects.toMatchObject({ code: 'internal' });
    expect(await answers(database.read)).toEqual([]);
    await database.write((tx) => insert(tx));
  });

  it('tells a row that exists from other errors', async () => {
    const database = await makeDatabase();
    await database.write((tx) => insert(tx));
    const twice = await database.write((tx) => insert(tx)).catch((error: unknown) => error);
    expect(isUniqueViolation(twice)).toBe(true);
    const wrong = await sql`select nothing`.execute(database.read).catch((error: unknown) => error);
    expect(isUniqueViolation(wrong)).toBe(false);
  });

  it('lets 50 writes of one process take turns', async () => {
    const database = await makeDatabase();
    await database.write((tx) => insert(tx));
    await Promise.all(Array.from({ length: 50 }, () => database.write(addOne)));
    expect(await answers(database.read)).toEqual(['50']);
  });

  it('loses nothing when 4 processes read and then write 200 times each', async () => {
    const place = await makeDatabase.place();
    const database = openDatabase(place);
    await database.write((tx) => insert(tx));
    const args = ['--no-warnings', countUp, JSON.stringify(place), '200'];
    await Promise.all(Array.from({ length: 4 }, () => start(process.execPath, args)));
    expect(await answers(database.read)).toEqual(['800']);
    await database.close();
  });

  it('gives the same values on both databases', async () => {
    const database = await makeDatabase();
    await database.write(async (tx) => {
      for (const [n, key] of ['b', 'Z', 'ä', 'a', 'ab', '_'].entries())
        await insert(tx, { key, answer: `${n}` });
    });
    const { read } = database;
    const counted = await read
      .selectFrom('receipt')
      .select((q) => [
        q.fn.countAll<number>().as('count'),
        q.fn.sum<number>(sql<number>`cast(answer as integer)`).as('sum'),
        sql<number>`count(*) = 6`.as('truth'),
        sql<number>`7 / cast(${2} as integer)`.as('half'),
        sql<number>`9007199254740991`.as('large'),
      ])
      .execute();
    expect(counted).toStrictEqual([{ count: 6, sum: 15, truth: 1, half: 3, large: 9007199254740991 }]);
    const keys = await read.selectFrom('receipt').select('key').orderBy('key').execute();
    expect(keys.map((row) => row.key)).toEqual(['Z', '_', 'a', 'ab', 'b', 'ä']);
    const alike = await read.selectFrom('receipt').select('key').where('key', 'like', 'A%').execute();
    expect(alike).toEqual([]);
    const written = await database.write((tx) =>
      tx.updateTable('receipt').set({ body_hash: '1' }).where('answer', '<', '2').executeTakeFirst(),
    );
    expect(written.numUpdatedRows).toBe(2n);
  });

  it('closes once the running write is over, and once only', async () => {
    const database = await makeDatabase();
    const written = database.write((tx) => insert(tx));
    await Promise.all([database.close(), database.close()]);
    await written;
    await expect(database.write((tx) => insert(tx))).rejects.toThrow();
  });
});
