import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeServer } from '../../test/support/server.ts';
import { openDatabase } from '../db/database.ts';
import { endOfLog } from '../operations/follow-log.ts';
import { EventFeed } from './event-feed.ts';

it('lets a listener go that cannot keep up, and nobody else', async () => {
  const server = await makeServer();
  const owner = await server.agent('owner');
  const { id: repoId } = await server.ask('POST /repos/register', { as: owner.key, body: { name: 'demo' } });
  for (const title of ['one', 'two', 'three'])
    await server.ask(`POST /repos/${repoId}/tasks`, { as: owner.key, body: { title } });
  const failures: unknown[] = [];
  const feed = new EventFeed(server.app.kernel, {
    pollMs: 60_000,
    onFailure: (error) => failures.push(error),
  });
  const wish = {
    agentId: owner.id,
    credential: { kind: 'key' as const, secret: owner.key },
    repoId,
    types: ['task.created'],
    after: 0,
  };
  const slow: string[] = [];
  const quick: string[] = [];
  const ended = new Promise<string>((done) => {
    const tell = (event: { data: Record<string, unknown> }) => slow.push(String(event.data.title)) < 2;
    feed.follow(wish, { tell, end: done });
  });
  const heardAll = new Promise<void>((done, fail) => {
    const tell = (event: { data: Record<string, unknown> }) => {
      if (quick.push(String(event.data.title)) === 4) done();
      return true;
    };
    feed.follow(wish, { tell, end: fail });
  });
  expect(await ended).toBe('limited');
  await server.ask(`POST /repos/${repoId}/tasks`, { as: owner.key, body: { title: 'four' } });
  feed.wake();
  await heardAll;
  expect(slow).toEqual(['one', 'two']);
  expect(quick).toEqual(['one', 'two', 'three', 'four']);
  expect(feed.size).toBe(1);
  await feed.close();
  expect(failures).toEqual([]);
});

forEachDatabase((_kind, makeDatabase) => {
  it('what is written at the very moment at which somebody begins to follow is told', async () => {
    const place = await makeDatabase.place();
    const server = await makeServer({ place });
    const { id: agentId, key } = await server.agent('owner');
    const { id: repoId } = await server.ask('POST /repos/register', { as: key, body: { name: 'demo' } });
    const task = (title: string) => server.ask(`POST /repos/${repoId}/tasks`, { as: key, body: { title } });
    for (let n = 0; n < 60; n++) {
      // A server of its own that has no connection yet: which of its questions is answered first is open.
      const database = openDatabase(place);
      const kernel = { ...server.app.kernel, database };
      const feed = new EventFeed(kernel, { pollMs: 60_000, onFailure: () => undefined });
      const after = await endOfLog(server.app.kernel);
      const written = task(`task ${n}`);
      // Sooner and later within the time that a write takes.
      for (let turn = 0; turn < n; turn++) await new Promise((done) => setImmediate(done));
      const heard = new Promise<string>((done, fail) => {
        const wish = { agentId, credential: { kind: 'key' as const, secret: key }, repoId, after };
        const tell = (event: { data: Record<string, unknown> }) => {
          done(String(event.data.title));
          return true;
        };
        feed.follow(wish, { tell, end: fail });
      });
      await written;
      feed.wake();
      expect(await heard).toBe(`task ${n}`);
      await feed.close();
      await database.close();
    }
  });
});
