import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { openSocket, openStream } from '../../test/support/followers.ts';
import { makeServer } from '../../test/support/server.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start(wish: object = {}) {
    const place = await makeDatabase.place();
    const server = await makeServer({ place });
    const [owner, other] = [await server.agent('owner'), await server.agent('other')];
    const { id: repoId } = await server.ask('POST /repos/register', {
      as: owner.key,
      body: { name: 'demo', ...wish },
    });
    const task = (title: string, on = server) =>
      on.ask(`POST /repos/${repoId}/tasks`, { as: owner.key, body: { title } });
    return { server, place, owner, other, repoId, task };
  }
  const titles = (events: { data: { title?: string } }[]) => events.map((event) => event.data.title);

  it('streams what happens as it happens, and goes on after the last id', async () => {
    const { server, owner, repoId, task } = await start();
    const url = `${server.url}/api/v1/repos/${repoId}/events`;
    const first = await openStream(url, owner.key);
    await task('one');
    await first.events.until(() => first.events.all.length === 1);
    const [one] = first.events.all;
    expect(one).toMatchObject({
      event: 'task.created',
      data: { type: 'task.created', data: { title: 'one' }, repoId },
    });
    first.close();
    await task('two');
    await task('three');
    const second = await openStream(url, owner.key, { 'last-event-id': one.id });
    await second.events.until(() => second.events.all.length === 2);
    await task('four');
    await second.events.until(() => second.events.all.length === 3);
    expect(titles(second.events.all.map((each) => each.data))).toEqual(['two', 'three', 'four']);
    const refused = await openStream(url, owner.key, { 'last-event-id': 'x' });
    expect(refused.status).toBe(400);
  });

  it('streams of all that one may read, by type, and of nothing else', async () => {
    const { server, owner, other, repoId, task } = await start({ isPrivate: true });
    const { id: open } = await server.ask('POST /repos/register', { as: owner.key, body: { name: 'open' } });
    const all = `${server.url}/api/v1/events?types=task.*,repo.created&cursor=0`;
    const theirs = await openStream(all, other.key);
    const mine = await openStream(all, owner.key);
    await task('secret');
    await server.ask(`POST /repos/${open}/tasks`, { as: owner.key, body: { title: 'public' } });
    await mine.events.until(() => mine.events.all.length === 4);
    await theirs.events.until(() => theirs.events.all.length === 2);
    expect(theirs.events.all.map((each) => each.data.repoId)).toEqual([open, open]);
    expect((await openStream(`${server.url}/api/v1/repos/${repoId}/events`, other.key)).status).toBe(404);
    expect((await openStream(all, 'gsw_nobody-nobody-nobody')).status).toBe(401);
  });

  it('tells over a socket from a cursor on, without loss or repetition, to many at once', async () => {
    const { server, owner, repoId, task } = await start();
    const before = await openSocket(server.url, owner.key);
    before.send({ type: 'subscribe', id: 'mine', repoId, types: ['task.created'] });
    const { cursor } = await before.next('subscribed');
    const writing = Promise.all(Array.from({ length: 20 }, (_, i) => task(`t${i}`)));
    const during = await openSocket(server.url, owner.key);
    during.send({ type: 'subscribe', repoId, types: ['task.created'], cursor });
    await writing;
    const after = await openSocket(server.url, owner.key);
    after.send({ type: 'subscribe', repoId, types: ['task.created'], cursor });
    for (const client of [before, during, after]) {
      await client.messages.until(() => client.events().length >= 20);
      const seqs = client.events().map((event) => event.seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(new Set(titles(client.events())).size).toBe(20);
    }
    before.send({ type: 'unsubscribe', id: 'mine' });
    await before.next('unsubscribed');
    await task('later');
    await after.messages.until(() => after.events().length === 21);
    expect(before.events()).toHaveLength(20);
  });

  it('goes on with a socket only after it has said who it is', async () => {
    const { server, owner, other, repoId } = await start({ isPrivate: true });
    const nobody = await openSocket(server.url);
    nobody.send({ type: 'subscribe', repoId });
    expect(await nobody.next('error')).toMatchObject({ error: { code: 'unauthenticated' } });
    await nobody.messages.until(() => nobody.messages.ended !== undefined);
    expect(nobody.messages.ended).toBe('4401');
    const stranger = await openSocket(server.url, other.key);
    stranger.send({ type: 'subscribe', repoId });
    expect(await stranger.next('error')).toMatchObject({ error: { code: 'not_found' } });
    stranger.send({ type: 'nonsense' });
    expect(await stranger.next('error')).toMatchObject({ error: { code: 'invalid' } });
    const mine = await openSocket(server.url, owner.key);
    mine.send({ type: 'subscribe', repoId, cursor: 'x' });
    expect(await mine.next('error')).toMatchObject({ error: { code: 'invalid' } });
  });

  it('tells a suspended agent so, and closes the socket that came with its key', async () => {
    const { server, other } = await start();
    await server.ask('POST /agents/other/suspend', { as: server.admin, body: {} });
    const socket = await openSocket(server.url, undefined, { authorization: `Bearer ${other.key}` });
    await socket.messages.until(() => socket.messages.ended !== undefined);
    expect(socket.messages.all).toMatchObject([{ type: 'error', error: { code: 'not_allowed' } }]);
    expect(socket.messages.ended).toBe('4403');
    expect(server.log.join('')).not.toMatch(/"level":50/);
  });

  it('keeps nothing open for a socket that is gone before it was answered', async () => {
    const { server, owner } = await start();
    const leave = async () => {
      const socket = await openSocket(server.url);
      socket.send({ type: 'auth', token: owner.key });
      socket.send({ type: 'subscribe' });
      socket.close();
      await socket.messages.until(() => socket.messages.ended !== undefined);
    };
    await Promise.all(Array.from({ length: 40 }, leave));
    // Asked last, so answered when all those are over.
    const socket = await openSocket(server.url, owner.key);
    socket.send({ type: 'subscribe' });
    await socket.next('subscribed');
    expect(await server.ask('GET //metrics')).toMatch(/^gitswarm_followers 1$/m);
  });

  it('ends what follows when the right or the key is gone', async () => {
    const { server, owner, other, repoId, task } = await start({ isPrivate: true });
    await server.ask(`POST /repos/${repoId}/access`, {
      as: owner.key,
      body: { agentId: 'other', level: 'read' },
    });
    const socket = await openSocket(server.url, other.key);
    socket.send({ type: 'subscribe', id: 'it', repoId });
    await socket.next('subscribed');
    const stream = await openStream(`${server.url}/api/v1/repos/${repoId}/events`, other.key);
    await task('seen');
    await stream.events.until(() => stream.events.all.length === 1);
    await server.ask(`DELETE /repos/${repoId}/access/other`, { as: owner.key });
    await task('unseen');
    expect(await socket.next('ended')).toMatchObject({ id: 'it', code: 'not_found' });
    await stream.events.until(() => stream.events.ended !== undefined);
    expect(titles(socket.events())).not.toContain('unseen');
    expect(stream.events.all.map((each) => each.event)).toEqual(['task.created', 'end']);

    const mine = await openSocket(server.url, owner.key);
    mine.send({ type: 'subscribe', repoId });
    await mine.next('subscribed');
    await server.ask('POST /agents/owner/rotate-key', { as: owner.key });
    await mine.messages.until(() => mine.messages.ended !== undefined);
    expect(mine.messages.ended).toBe('4401');
  });

  it('hears of what another server on the same database has written', async () => {
    const { server, place, owner, repoId, task } = await start();
    const second = await makeServer({ place });
    const socket = await openSocket(second.url, owner.key);
    socket.send({ type: 'subscribe', repoId });
    await socket.next('subscribed');
    await task('elsewhere', server);
    await socket.messages.until(() => socket.events().length === 1);
    expect(titles(socket.events())).toEqual(['elsewhere']);
  });

  it('closes streams and sockets when it stops', async () => {
    const { server, owner, repoId } = await start();
    const socket = await openSocket(server.url, owner.key);
    const stream = await openStream(`${server.url}/api/v1/repos/${repoId}/events`, owner.key);
    await server.stop();
    await socket.messages.until(() => socket.messages.ended !== undefined);
    await stream.events.until(() => stream.events.ended !== undefined);
    expect(socket.messages.ended).toBe('1001');
  });
});
