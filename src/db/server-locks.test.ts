import { sql } from 'kysely';
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
    return { locks, cut };
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
});
