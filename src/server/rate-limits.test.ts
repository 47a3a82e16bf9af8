import { expect, it } from 'vitest';
import { makeServer } from '../../test/support/server.ts';

const MOST = 4;

it('each event of a batch counts as a write, and at the limit nothing more is done', async () => {
  const server = await makeServer({ switches: { rateLimit: MOST } });
  const { key } = await server.agent('sender');
  const { id: repoId } = await server.ask('POST /repos/register', { as: key, body: { name: 'demo' } });
  const events = Array.from({ length: MOST }, (_, n) => ({
    seq: n,
    type: 'task.create',
    data: { repoId, title: `task ${n}` },
    key: `k${n}`,
  }));
  const { status, body } = await server.request('POST /sync/batch', { as: key, body: { events } });
  expect(status).toBe(200);
  expect(body.results.map((each: { status: string }) => each.status)).toEqual(['ok', 'ok', 'ok', 'error']);
  const { error } = body.results.at(-1);
  expect(error).toMatchObject({ code: 'limited', details: { retryAfterSeconds: expect.any(Number) } });
  const { items } = await server.ask(`GET /repos/${repoId}/tasks`, { as: key });
  expect(items).toHaveLength(MOST - 1);
  expect((await server.request('POST /sync/batch', { as: key, body: { events } })).status).toBe(429);
});

it('a read counts as one, also where it does not fit into an address', async () => {
  const server = await makeServer({ switches: { rateLimit: 2 } });
  const { key } = await server.agent('driver');
  const { id: repoId } = await server.ask('POST /repos/register', { as: key, body: { name: 'demo' } });
  const next = async () =>
    (await server.request(`POST /repos/${repoId}/queue/next`, { as: key, body: {} })).status;
  expect([await next(), await next(), await next()]).toEqual([200, 200, 429]);
  const other = await server.agent('other');
  expect((await server.request('GET /nothing', { as: other.key })).status).toBe(404);
  const task = { as: key, body: { title: 'x' } };
  expect((await server.request(`POST /repos/${repoId}/tasks`, task)).status).toBe(201);
});

it('strangers are counted by IPv4 address however it is written, and by the /64 of an IPv6 address', async () => {
  const server = await makeServer({ behindTls: true, switches: { rateLimit: 2 } });
  const from = async (address: string) =>
    (await server.request('GET /me', { headers: { 'x-forwarded-for': address } })).status;
  const statuses = async (...addresses: string[]) => {
    const answered: number[] = [];
    for (const address of addresses) answered.push(await from(address));
    return answered;
  };
  expect(await statuses('2001:db8:1:2::1', '2001:DB8:1:2:ffff::7', '2001:db8:1:2:3::')).toEqual([
    401, 401, 429,
  ]);
  expect(await statuses('2001:db8:1:3::1')).toEqual([401]);
  expect(await statuses('203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107')).toEqual([401, 401, 429]);
  expect(await statuses('203.0.113.8')).toEqual([401]);
});
