import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { type Db, openDatabase } from './database.ts';
import { migrate } from './migrate.ts';

async function newFile(): Promise<string> {
  const file = join(tempDir('sqlite'), 'deep', 'gitswarm.db');
  const database = openDatabase({ file });
  await migrate(database);
  await database.close();
  return file;
}

const isRoot = process.getuid?.() === 0;

it('makes the directory of a new database', async () => {
  const database = openDatabase({ file: await newFile() });
  const { rows } = await sql`pragma journal_mode`.execute(database.read);
  expect(rows).toEqual([{ journal_mode: 'wal' }]);
  await database.close();
});

it('says busy, with the file, when another process keeps the lock, and goes on with other work meanwhile', async () => {
  const file = await newFile();
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  const database = openDatabase({ file }, { waitMs: 60 });
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  await expect(database.write(async () => 1)).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining(file),
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(2);
  other.exec('rollback');
  other.close();
  expect(await database.write(async () => 1)).toBe(1);
  await database.close();
});

it('refuses to write through the reading connection', async () => {
  const database = openDatabase({ file: await newFile() });
  const writing = database.read.deleteFrom('receipt').execute();
  await expect(writing).rejects.toMatchObject({ code: 'read_only' });
  await database.close();
});

it('sees one state in a turn of the event loop, never one older than what this process has committed', async () => {
  const file = await newFile();
  const [ours, theirs] = [openDatabase({ file }), openDatabase({ file })];
  const elsewhere = new DatabaseSync(file);
  const write = (name: string) => elsewhere.exec(`insert into reactor_cursor values ('${name}', '1', 'now')`);
  const names = async (db: Db) =>
    (await db.selectFrom('reactor_cursor').select('name').orderBy('name').execute()).map(({ name }) => name);
  const nextTurn = () => new Promise((done) => setImmediate(done));
  await names(ours.view);
  await nextTurn();

  expect(await names(ours.view)).toEqual([]);
  write('a');
  expect(await names(ours.view)).toEqual([]);
  expect(await names(ours.read)).toEqual(['a']);
  await nextTurn();
  expect(await names(ours.view)).toEqual(['a']);
  await theirs.write((tx) =>
    tx.insertInto('reactor_cursor').values({ name: 'b', cursor: '1', updated_at: 'now' }).execute(),
  );
  expect(await names(ours.view)).toEqual(['a', 'b']);

  await expect(
    ours.view
      .selectFrom('reactor_cursor')
      .select('nothing' as 'name')
      .execute(),
  ).rejects.toThrow();
  expect(await names(ours.view)).toEqual(['a', 'b']);
  await expect(ours.view.deleteFrom('receipt').execute()).rejects.toMatchObject({ code: 'read_only' });
  elsewhere.close();
  await Promise.all([ours.close(), theirs.close()]);
});

it('commits what was written although a view lost its transaction to an error of the disk', async () => {
  const database = openDatabase({ file: await newFile() });
  await database.view.selectFrom('receipt').select('key').execute();
  // What SQLite does by itself where a page cannot be read.
  await sql`rollback`.execute(database.view);
  expect(await database.write(async () => 'done')).toBe('done');
  await database.close();
});

it('names the values of a row rightly after another process has added a column', async () => {
  const file = await newFile();
  const database = openDatabase({ file });
  const elsewhere = new DatabaseSync(file);
  elsewhere.exec("create table grown (a text); insert into grown values ('x')");
  const rows = async () => (await sql`select * from grown`.execute(database.read)).rows;
  expect(await rows()).toEqual([{ a: 'x' }]);
  elsewhere.exec("alter table grown add column b text default 'y'");
  expect(await rows()).toEqual([{ a: 'x', b: 'y' }]);
  elsewhere.close();
  await database.close();
});

it('reads but does not write a database opened for reading', async () => {
  const file = await newFile();
  const database = openDatabase({ file }, { readOnly: true });
  expect(await database.read.selectFrom('receipt').selectAll().execute()).toEqual([]);
  await expect(database.write(async () => 1)).rejects.toMatchObject({ code: 'read_only' });
  await database.close();
});

it.skipIf(isRoot)('says read_only where the file or the directory may not be written', async () => {
  const file = await newFile();
  chmodSync(file, 0o444);
  const database = openDatabase({ file });
  const writing = database.write((tx) => tx.deleteFrom('receipt').execute());
  await expect(writing).rejects.toMatchObject({ code: 'read_only' });
  await database.close();
});

it('names a file that is no database, and what to do', async () => {
  const file = join(tempDir('sqlite'), 'gitswarm.db');
  writeFileSync(file, 'these are my notes, not a database '.repeat(200));
  const database = openDatabase({ file });
  await expect(migrate(database)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining(file),
    fix: expect.stringContaining('mv '),
  });
  await database.close();
});

it('waits for the disk at every commit in durable mode', async () => {
  const file = await newFile();
  for (const [durable, mode] of [
    [true, 2],
    [false, 1],
  ] as const) {
    const database = openDatabase({ file }, { durable });
    const { rows } = await database.write((tx) => sql`pragma synchronous`.execute(tx));
    expect(rows).toEqual([{ synchronous: mode }]);
    await database.close();
  }
});
