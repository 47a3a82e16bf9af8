import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type Database, openDatabase } from './database.ts';
import { lockEvents } from './dialect-sql.ts';

/** Resolves when so many sessions wait for a lock. */
async function someoneWaits(database: Database, sessions = 1): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: number }>`select count(*) as waiting from pg_locks
      where not granted and locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())`.execute(
      database.read,
    );
    if ((rows[0]?.waiting ?? 0) >= sessions) return;
  }
}

function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

it('says unavailable where no server answers, without showing the password', async () => {
  const database = openDatabase({ url: 'postgres://me:secret@127.0.0.1:1/none' });
  const error = await database.write(async () => 1).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('127.0.0.1:1/none') });
  expect(String(error)).not.toContain('secret');
  await database.close();
});

forEachDatabase((kind, makeDatabase) => {
  if (kind !== 'postgres') return it.skip('is about PostgreSQL');

  it('says not_configured where the database does not exist', async () => {
    const place = await makeDatabase.place();
    const url = 'url' in place ? `${place.url}_not` : '';
    const database = openDatabase({ url });
    await expect(sql`select 1`.execute(database.read)).rejects.toMatchObject({ code: 'not_configured' });
    await database.close();
  });

  it('survives a server that ends its connections, idle or in use', async () => {
    const database = await makeDatabase();
    const endAllOthers = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    const cut = database.write(async (tx) => {
      await endAllOthers.execute(database.read);
      await tx.selectFrom('receipt').selectAll().execute();
    });
    await expect(cut).rejects.toMatchObject({ code: 'unavailable' });
    await database.write((tx) => tx.selectFrom('receipt').selectAll().execute());
    await database.write((tx) => endAllOthers.execute(tx)); // the idle reading connection
    const again = () => database.read.selectFrom('receipt').selectAll().execute();
    const result = await again().catch((error: unknown) => error);
    if (!Array.isArray(result)) expect(result).toMatchObject({ code: 'unavailable' });
    expect(await again()).toEqual([]);
  });

  it('says busy when another writer keeps the lock', async () => {
    const place = await makeDatabase.place();
    const [first, second] = [openDatabase(place), openDatabase(place, { waitMs: 50 })];
    await first.write(async () => {
      await expect(second.write(async () => 1)).rejects.toMatchObject({ code: 'busy' });
    });
    expect(await second.write(async () => 1)).toBe(1);
    await Promise.all([first.close(), second.close()]);
  });

  it('writes two repositories side by side, one repository in turns', async () => {
    const database = await makeDatabase();
    const order: string[] = [];
    const { opened, open } = gate();
    const begun = gate();
    const slow = async () => {
      begun.open();
      await opened;
      order.push('a');
    };
    const a = database.write(slow, { repoId: 'repo-a' });
    await begun.opened;
    await database.write(async () => order.push('b'), { repoId: 'repo-b' });
    const again = database.write(async () => order.push('a again'), { repoId: 'repo-a' });
    const everything = someoneWaits(database).then(() => database.write(async () => order.push('all')));
    await someoneWaits(database, 2);
    open();
    await Promise.all([a, again, everything]);
    expect(order.slice(0, 2)).toEqual(['b', 'a']);
    expect(order.slice(2).toSorted()).toEqual(['a again', 'all']);
  });

  it('numbers events in the order of commits', async () => {
    const database = await makeDatabase();
    const { opened, open } = gate();
    const locked = gate();
    const order: string[] = [];
    const first = database.write(
      async (tx) => {
        await lockEvents(tx);
        locked.open();
        await opened;
        order.push('first');
      },
      { repoId: 'repo-a' },
    );
    await locked.opened;
    const second = database.write((tx) => lockEvents(tx).then(() => order.push('second')), {
      repoId: 'repo-b',
    });
    await someoneWaits(database);
    open();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });
});
