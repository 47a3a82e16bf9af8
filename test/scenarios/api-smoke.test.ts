import { expect, it } from 'vitest';
import { forEachDatabase } from '../support/databases.ts';
import { openSocket, openStream } from '../support/followers.ts';
import { prepareRedis, withRedis } from '../support/redis.ts';
import { ADMIN, type RequestOptions } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

/** The way of one task through the API, each request to the next of the servers. */
async function story(servers: readonly [ServerProcess, ...ServerProcess[]]) {
  let turn = 0;
  const ask = (what: string, options: RequestOptions) =>
    (servers[turn++ % servers.length] ?? servers[0]).ask(what, options);
  const register = async (name: string, invite: string) => {
    const made = await ask('POST /agents', { body: { name, invite } });
    return { id: made.agent.id as string, key: made.apiKey as string };
  };
  const { token: invite } = await ask('POST /invites', { as: ADMIN, body: { uses: 2 } });
  const [owner, coder] = [await register('owner', invite), await register('coder', invite)];
  const config = { merge_mode: 'review', min_reviews: 1 };
  const repo = await ask('POST /repos', { as: owner.key, body: { name: 'smoke', config } });
  await ask(`POST /repos/${repo.id}/access`, { as: owner.key, body: { agentId: coder.id, level: 'write' } });

  const last = servers.at(-1) ?? servers[0];
  const socket = await openSocket(servers[0].url, coder.key);
  socket.send({ type: 'subscribe', id: 'all', repoId: repo.id });
  await socket.next('subscribed');
  const stream = await openStream(`${last.url}/api/v1/repos/${repo.id}/events`, coder.key);

  const task = await ask(`POST /repos/${repo.id}/tasks`, { as: owner.key, body: { title: 'Say hello' } });
  await ask(`POST /tasks/${task.id}/claim`, { as: coder.key, body: {} });
  const { id } = await ask(`POST /repos/${repo.id}/streams`, {
    as: coder.key,
    body: { name: 'hello', taskId: task.id },
  });
  await ask(`PUT /streams/${id}/files/hello.txt`, { as: coder.key, body: 'hello\n' });
  expect(await ask(`GET /streams/${id}/files/hello.txt`, { as: owner.key })).toBe('hello\n');
  const { commit } = await ask(`POST /streams/${id}/commits`, { as: coder.key, body: { message: 'hello' } });
  await ask(`POST /streams/${id}/submit`, { as: coder.key, body: {} });
  await ask(`POST /streams/${id}/reviews`, { as: owner.key, body: { verdict: 'approve', head: commit } });
  const merged = await ask(`POST /streams/${id}/merge`, { as: coder.key, body: {} });
  expect(merged).toMatchObject({ merged: true, stream: { state: 'merged' } });
  expect(await ask(`GET /tasks/${task.id}`, { as: owner.key })).toMatchObject({ status: 'completed' });
  await ask(`POST /repos/${repo.id}/promote`, { as: owner.key, body: {} });

  const isLast = (type: string | undefined) => type === 'promotion.recorded';
  await stream.events.until(() => stream.events.all.some(({ event }) => isLast(event)));
  const told = stream.events.all.map(({ data }) => data);
  await socket.messages.until(() => socket.events().some(({ type }) => isLast(type)));
  const heard = socket.events().filter(({ id: event }) => told.some((each) => each.id === event));
  expect(heard.map((event) => event.id)).toEqual(told.map((event) => event.id));
  return told.map((event) => event.type as string);
}

const WAY = [
  'task.created',
  'task.claimed',
  'stream.created',
  'stream.committed',
  'review.submitted',
  'merge.landed',
];

forEachDatabase((kind, makeDatabase) => {
  const setting = kind === 'sqlite' ? 'one server' : 'two servers in turn, with Redis';

  it(`${setting}: from an invite to the promotion over HTTP, all of it told on socket and stream`, async () => {
    const place = await makeDatabase.place();
    const options = { place, data: tempDir('data') };
    if (kind === 'sqlite') return check(await story([await startProcess(options)]));
    const redis = withRedis('the API smoke runs with PostgreSQL alone') ? prepareRedis() : undefined;
    await redis?.start();
    const variables = { REDIS_URL: redis?.url, GITSWARM_RATE_LIMIT: '1000/min' };
    const start = () => startProcess({ ...options, variables });
    check(await story([await start(), await start()]));
  });
});

function check(types: string[]): void {
  expect(types).toEqual(expect.arrayContaining(WAY));
  expect(types.filter((type) => type === 'merge.landed')).toHaveLength(1);
}
