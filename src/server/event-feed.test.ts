import { expect, it } from 'vitest';
import { makeServer } from '../../test/support/server.ts';
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
