import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSwitches } from '../../src/app/server-settings.ts';
import { ManualClock } from '../../src/base/clock.ts';
import { verifyBody } from '../../src/domain/notifications/delivery-rules.ts';
import { until } from '../support/process-fixture.ts';
import { makeServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { receiver } from '../support/webhook-receiver.ts';

const HOUR = 3_600_000;

/** A running server that looks after itself often, with a repository and an author in it. */
async function start(switches: Partial<ServerSwitches> = {}, config: object = {}) {
  const clock = new ManualClock();
  const server = await makeServer({ clock, houseEveryMs: 20, switches: { sandbox: 'off', ...switches } });
  const [owner, author] = [await server.agent('owner'), await server.agent('author')];
  const { id: repo } = await server.ask('POST /repos', { as: owner.key, body: { name: 'demo', config } });
  await server.ask(`POST /repos/${repo}/access`, {
    as: owner.key,
    body: { agentId: author.id, level: 'write' },
  });
  const listen = async (url: string) =>
    server.ask('PUT /me/notifications/preferences', {
      as: author.key,
      body: { webhookUrl: url, events: ['review.*', 'delivery.*'] },
    });
  const review = async () => {
    const { id } = await server.ask(`POST /repos/${repo}/streams`, { as: author.key, body: { name: 'x' } });
    await server.ask(`PUT /streams/${id}/files/a.txt`, { as: author.key, body: 'a\n' });
    await server.ask(`POST /streams/${id}/commits`, { as: author.key, body: { message: 'a' } });
    await server.ask(`POST /streams/${id}/submit`, { as: author.key, body: {} });
    await server.ask(`POST /streams/${id}/reviews`, { as: owner.key, body: { verdict: 'comment' } });
    return id as string;
  };
  const events = async (type: string) =>
    (await server.ask(`GET /repos/${repo}/activity?type=${type}`, { as: owner.key })).items;
  /** Waits while the time of the server goes on: an attempt is recorded a moment after it has arrived. */
  const later = (what: string, holds: () => boolean | Promise<boolean>) =>
    until(what, () => {
      clock.advance(HOUR / 4);
      return holds();
    });
  /** Types of the author's notifications. */
  const told = async (): Promise<string[]> => {
    const { items } = await server.ask('GET /me/notifications', { as: author.key });
    return items.map(({ type }: { type: string }) => type);
  };
  return { server, clock, later, author, repo, listen, review, events, told };
}

it('a server sends webhooks by itself: signed, and again after a while where the receiver failed', async () => {
  const answers = [500, 204];
  const { received, url } = await receiver(() => answers.shift() ?? 204);
  const { later, listen, review } = await start({ allowPrivateWebhooks: true });
  const { webhookSecret } = await listen(url);
  const stream = await review();
  await until('it was tried', () => received.length === 1);
  await later('it was tried again', () => received.length === 2);
  const [first, second] = received;
  for (const message of [first, second]) {
    const signed = {
      body: message?.body ?? '',
      timestamp: Number(message?.headers['x-gitswarm-timestamp']),
      signature: String(message?.headers['x-gitswarm-signature']),
      now: Number(message?.headers['x-gitswarm-timestamp']) * 1000,
    };
    expect(verifyBody(webhookSecret, signed)).toBe(true);
    expect(JSON.parse(signed.body)).toMatchObject({ type: 'review.submitted', subject: { id: stream } });
  }
  expect(first?.headers['x-gitswarm-delivery']).toBe(second?.headers['x-gitswarm-delivery']);
  await review();
  await until('the next one has come', () => received.length === 3);
  expect(received[2]?.headers['x-gitswarm-delivery']).not.toBe(first?.headers['x-gitswarm-delivery']);
});

/** Takes connections on this machine and answers nobody. */
async function silence() {
  const open = new Set<Socket>();
  const heard = { count: 0 };
  const silent = createServer(() => heard.count++).on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const end = () => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    silent.close();
    end();
  });
  return { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`, open, heard, end };
}

it('a receiver that never answers keeps neither another repository nor the end of the server waiting', async () => {
  const silent = await silence();
  const { server, listen, review } = await start({ allowPrivateWebhooks: true });
  await listen(silent.url);
  await review();
  await review();
  await until('it was asked', () => silent.heard.count === 1);

  const { received, url } = await receiver(() => 204);
  const [owner, author] = [await server.agent('another-owner'), await server.agent('another-author')];
  const { id: repo } = await server.ask('POST /repos/register', { as: owner.key, body: { name: 'other' } });
  const wish = { webhookUrl: url, events: ['*'] };
  await server.ask('PUT /me/notifications/preferences', { as: author.key, body: wish });
  // Only now: what was told before somebody listened is not sent.
  const access = { agentId: author.id, level: 'write' };
  await server.ask(`POST /repos/${repo}/access`, { as: owner.key, body: access });
  await until('the other repository is told', () => received.length > 0);
  expect([silent.open.size, silent.heard.count]).toEqual([1, 1]);

  const stopped = server.stop();
  silent.end();
  await stopped;
  expect(silent.heard.count).toBe(1);
});

it('a remote that never answers keeps no repository waiting for what is due in it', async () => {
  const remote = tempDir('remote');
  execFileSync('git', ['init', '--quiet', '--bare', remote]);
  const { server, clock, author, repo } = await start(
    { allowLocalClones: true },
    { stale_stream_timeout: '7d' },
  );
  const { id: other } = await server.ask('POST /repos', {
    as: author.key,
    body: { name: 'other', cloneUrl: remote, config: { merge_mode: 'swarm' } },
  });
  const setRemote = (url: string) =>
    execFileSync('git', ['config', 'remote.origin.url', url], {
      cwd: join(server.app.dataDir, 'repos', `${other}.git`),
    });
  const land = async (name: string) => {
    const { id } = await server.ask(`POST /repos/${other}/streams`, { as: author.key, body: { name } });
    await server.ask(`PUT /streams/${id}/files/${name}.txt`, { as: author.key, body: name });
    await server.ask(`POST /streams/${id}/commits`, { as: author.key, body: { message: name } });
  };
  setRemote(join(remote, 'away'));
  await land('one');
  const clone = () => server.ask(`GET /repos/${other}/clone`, { as: author.key });
  await until('it has been tried', async () => (await clone()).unpushed[0]?.attempts === 1);
  const silent = await silence();
  setRemote(silent.url);
  clock.advance(HOUR);
  await until('it is tried again', () => silent.heard.count === 1);

  const { id: stale } = await server.ask(`POST /repos/${repo}/streams`, {
    as: author.key,
    body: { name: 'old' },
  });
  clock.advance(8 * 24 * HOUR);
  const stateOf = async (id: string) => (await server.ask(`GET /streams/${id}`, { as: author.key })).state;
  await until('it is abandoned', async () => (await stateOf(stale)) === 'abandoned');
  expect(silent.open.size).toBe(1);
  const stopped = server.stop();
  silent.end();
  await stopped;
});

it('what no receiver takes is given up after two days, and its agent is told', async () => {
  const { received, url } = await receiver(() => 500);
  const { later, listen, review, events, told } = await start({ allowPrivateWebhooks: true });
  await listen(url);
  await review();
  await later('it was given up', async () => (await events('delivery.dead')).length === 1);
  expect((await events('delivery.dead'))[0]).toMatchObject({
    data: { attempts: 8, error: 'the receiver answered 500' },
  });
  await until('the agent is told', async () => (await told()).includes('delivery.dead'));
  expect(received).toHaveLength(8);
});

it('nothing is sent to a private address unless the operator allows it', async () => {
  const { received, url } = await receiver(() => 204);
  const { listen, review, events, told } = await start();
  await listen(url);
  await review();
  await until('it was given up at once', async () => (await events('delivery.dead')).length === 1);
  await until('the agent is told', async () => (await told()).includes('delivery.dead'));
  await review();
  await until(
    'the next one was given up too',
    async () => (await told()).filter((type) => type === 'delivery.dead').length >= 2,
  );
  // That one was given up is told, but not by webhook: it would never end.
  const dead = await events('delivery.dead');
  expect(dead.map(({ data }: { data: object }) => data)).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
  expect(received).toEqual([]);
});

it('a server abandons streams nobody works on, in its own name, and only those', async () => {
  const { server, clock, author, repo, review, events } = await start({}, { stale_stream_timeout: '7d' });
  const { id: stale } = await server.ask(`POST /repos/${repo}/streams`, {
    as: author.key,
    body: { name: 'old' },
  });
  const judged = await review();
  clock.advance(8 * 24 * HOUR);
  const stateOf = async (id: string) => (await server.ask(`GET /streams/${id}`, { as: author.key })).state;
  await until('it is abandoned', async () => (await stateOf(stale)) === 'abandoned');
  expect(await stateOf(judged)).toBe('in_review');
  expect(await events('stream.abandoned')).toHaveLength(1);
});
