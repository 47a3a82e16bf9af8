import { expect, it } from 'vitest';
import { until } from '../../test/support/process-fixture.ts';
import { describeWithRedis, prepareRedis } from '../../test/support/redis.ts';
import { makeServer, type ServerForTests } from '../../test/support/server.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { linkRedis } from '../app/redis-link.ts';

const MOST = 10;

/** Two servers on one database and one Redis, which allow so many calls a minute, and an agent of both. */
async function twoServers(redisUrl: string) {
  const place = { file: `${tempDir('shared')}/gitswarm.db` };
  const options = { place, switches: { redisUrl, rateLimit: MOST } };
  const servers = [await makeServer(options), await makeServer(options)] as const;
  const agent = async (name: string) => (await servers[0].agent(name)).key;
  return { servers, agent };
}

const isUp = (server: ServerForTests) => server.app.redis?.isUp() === true;

/** Statuses of so many reads, sent in turn to the servers given. */
async function read(key: string, count: number, servers: readonly ServerForTests[]): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n++) {
    const server = servers[n % servers.length];
    if (server) statuses.push((await server.request('GET /me', { as: key })).status);
  }
  return statuses;
}

const times = (count: number, status: number) => Array.from({ length: count }, () => status);

describeWithRedis('limits with Redis', () => {
  it('two servers count the calls of a key together, and each key and reads and writes apart', async () => {
    const redis = prepareRedis();
    await redis.start();
    const { servers, agent } = await twoServers(redis.url);
    await until('both are linked', () => servers.every(isUp));
    const [key, other] = [await agent('one'), await agent('two')];
    expect(await read(key, MOST + 2, servers)).toEqual([...times(MOST, 200), 429, 429]);
    const limited = await servers[1].request('GET /me', { as: key });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(
      (await servers[1].request('PUT /me/notifications/preferences', { as: key, body: {} })).status,
    ).not.toBe(429);
    expect(await read(other, 2, servers)).toEqual([200, 200]);
  });

  it('without Redis from the start each server counts by itself, and once it comes they count together', async () => {
    const redis = prepareRedis();
    const { servers, agent } = await twoServers(redis.url);
    const [key, later] = [await agent('one'), await agent('two')];
    expect(await read(key, MOST + 1, [servers[0]])).toEqual([...times(MOST, 200), 429]);
    expect(await read(key, MOST + 1, [servers[1]])).toEqual([...times(MOST, 200), 429]);
    await until('both have said so', () =>
      servers.every(({ log }) => log.filter((line) => line.includes('Redis is away')).length === 1),
    );
    await redis.start();
    await until('both are linked', () => servers.every(isUp));
    expect(await read(later, MOST + 1, servers)).toEqual([...times(MOST, 200), 429]);
  });

  it('a Redis that is killed or hangs opens no limit and fails no call, and is taken again when it is back', async () => {
    const redis = prepareRedis();
    await redis.start();
    const { servers, agent } = await twoServers(redis.url);
    await until('both are linked', () => servers.every(isUp));
    const key = await agent('one');
    const metric = async () =>
      /^gitswarm_redis_up (\d)/m.exec((await servers[0].request('GET /metrics')).body)?.[1];
    expect(await metric()).toBe('1');
    expect(await read(key, 4, [servers[0]])).toEqual(times(4, 200));
    await redis.kill();
    // What this server has counted before stays counted.
    expect(await read(key, MOST, [servers[0]])).toEqual([...times(MOST - 4, 200), ...times(4, 429)]);
    expect(await metric()).toBe('0');
    await redis.start();
    await until('both are linked again', () => servers.every(isUp));
    const third = await agent('three');
    expect(await read(third, 2, servers)).toEqual([200, 200]);
    redis.hang();
    expect(await read(third, MOST, [servers[0]])).toEqual([...times(MOST - 1, 200), 429]);
    expect(servers[0].log.filter((line) => line.includes('Redis answers'))).toHaveLength(2);
  });

  it('a server that announces events is heard by the others, not by itself', async () => {
    const redis = prepareRedis();
    await redis.start();
    const [one, other] = [await linkRedis(redis.url), await linkRedis(redis.url)];
    let [own, told] = [0, 0];
    one.hearOfEvents(() => own++);
    other.hearOfEvents(() => told++);
    // Each is called once when it has begun to listen: something may have been missed before.
    await until('both listen', () => own === 1 && told === 1 && one.isUp() && other.isUp());
    one.announceEvents();
    await until('the other has heard', () => told === 2);
    expect(own).toBe(1);
    one.close();
    other.close();
  });
});
