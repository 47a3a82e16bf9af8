import { sql } from 'kysely';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { until } from '../../test/support/process-fixture.ts';
import { openDatabase } from './database.ts';
import { serverLocks } from './server-locks.ts';

forEachDatabase((kind, makeDatabase) => {
  if (kind !== 'postgres') return it.skip('is about PostgreSQL');

  async function start(servers: number) {
    const place = await makeDatabase.place();
    const url = 'url' in place ? place.url : '';
    const locks = Array.from({ length: servers }, () => {
      const made = serverLocks(url);
      onTestFinished(() => made.close());
      return made;
    });
    /** Ends the connections of all servers, as a restart of PostgreSQL does. */
    const cut = async () => {
      const database = openDatabase({ url });
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'gitswarm locks' and datname = current_database()`.execute(database.read);
      await database.close();
    };
    return { locks, cut, url };
  }

  it('what runs under a name runs alone, at one server and between them', async () => {
    const { locks } = await start(2);
    let running = 0;
    let most = 0;
    const work = async () => {
      running++;
      most = Math.max(most, running);
      await new Promise((done) => setImmediate(done));
      running--;
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => locks[n % 2]?.hold('one', work)));
    expect(most).toBe(1);
  });

  it('who waits too long is told, and other names are free meanwhile', async () => {
    const { locks } = await start(2);
    const [one, other] = locks;
    await one?.hold('taken', async () => {
      await expect(other?.hold('taken', async () => 'no', { waitMs: 0 })).rejects.toMatchObject({
        code: 'busy',
      });
      expect(await other?.hold('free', async () => 'yes')).toBe('yes');
    });
    expect(await other?.hold('taken', async () => 'yes')).toBe('yes');
  });

  it('a kept name is taken again by itself after the connection was lost, and freed when its server ends', async () => {
    const { locks, cut } = await start(2);
    const [one, other] = locks;
    await one?.keep('alive');
    expect(await other?.isHeldElsewhere('alive')).toBe(true);
    expect(await other?.isHeldElsewhere('somebody else')).toBe(false);
    await cut();
    await until(
      'it is kept again',
      async () => (await other?.isHeldElsewhere('alive').catch(() => false)) === true,
    );
    await one?.close();
    await until('it is free', async () => (await other?.isHeldElsewhere('alive')) === false);
  });

  it('a kept name that a session from before still holds keeps nobody waiting, and is taken when that one ends', async () => {
    const { locks, cut, url } = await start(2);
    const [one, other] = locks;
    await one?.keep('alive');
    const before = new pg.Client({ connectionString: url });
    before.on('error', () => undefined);
    await before.connect();
    // It is next in line, so that it has the name before the connection that comes after the cut.
    const { rows } = await before.query<{ key: string }>(
      `select ((classid::bigint << 32) | objid::bigint)::text as key from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())`,
    );
    const taken = before.query('select pg_advisory_lock($1)', [rows[0]?.key]);
    const watcher = openDatabase({ url });
    await until('it waits', async () => {
      const waits = await sql`select 1 from pg_locks where locktype = 'advisory' and not granted`.execute(
        watcher.read,
      );
      return waits.rows.length > 0;
    });
    await watcher.close();
    await cut();
    await taken;
    const isReached = () => one?.hold('another', async () => true, { waitMs: 0 }).catch(() => false) ?? false;
    await until('it is connected again', isReached);
    await expect(one?.hold('alive', async () => 'no', { waitMs: 0 })).rejects.toMatchObject({ code: 'busy' });
    await before.end();
    await until('it is kept again', async () => (await other?.isHeldElsewhere('alive')) === true);
  });
});
