import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeServer, type ServerForTests } from '../../test/support/server.ts';
import { endpoints } from '../contract/api.ts';

async function repoOf(server: ServerForTests, key: string, wish: object = {}) {
  return server.ask('POST /repos/register', { as: key, body: { name: 'demo', ...wish } });
}

forEachDatabase((_kind, makeDatabase) => {
  const start = async (options = {}) => makeServer({ place: await makeDatabase.place(), ...options });

  it('answers probes without a key, at the root and under the prefix', async () => {
    const server = await start();
    for (const prefix of ['//', '/']) {
      expect(await server.request(`GET ${prefix}health`)).toMatchObject({
        status: 200,
        body: { status: 'ok' },
      });
      expect(await server.request(`GET ${prefix}ready`)).toMatchObject({ status: 200 });
      const metrics = await server.request(`GET ${prefix}metrics`);
      expect(metrics.body).toContain('gitswarm_http_request_seconds_count');
    }
  });

  it('knows the administrator by the token, and nobody by anything else', async () => {
    const server = await start();
    const me = await server.ask('GET /me', { as: server.admin });
    expect(me).toMatchObject({ agent: { name: 'admin', kind: 'human' }, isServerAdmin: true });
    for (const as of [undefined, 'gsw_wrong-wrong-wrong-wrong', `${server.admin}x`, 'x']) {
      const reply = await server.request('GET /me', { as });
      expect(reply).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } });
      expect(reply.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it('lets agents register by an invite, by the administrator, and openly only where that is switched on', async () => {
    const server = await start();
    const body = { name: 'coder' };
    expect(await server.request('POST /agents', { body })).toMatchObject({ status: 401 });
    expect(await server.request('POST /agents', { body: { ...body, invite: 'gsi_x' } })).toMatchObject({
      status: 403,
    });
    const { token, invite } = await server.ask('POST /invites', { as: server.admin, body: { uses: 1 } });
    const made = await server.request('POST /agents', { body: { ...body, invite: token } });
    expect(made).toMatchObject({ status: 201, body: { agent: { name: 'coder' } } });
    const again = await server.request('POST /agents', { body: { name: 'other', invite: token } });
    expect(again).toMatchObject({ status: 403 });
    const own = { as: made.body.apiKey };
    expect(await server.request('POST /agents', { ...own, body: { name: 'third' } })).toMatchObject({
      status: 403,
    });
    expect(await server.request('POST /invites', { ...own, body: {} })).toMatchObject({ status: 403 });
    expect(await server.request(`DELETE /invites/${invite.id}`, own)).toMatchObject({ status: 403 });
    const open = await start({ switches: { openRegistration: true } });
    expect(await open.request('POST /agents', { body })).toMatchObject({ status: 201 });
    const person = { name: 'ann', kind: 'human' };
    expect(await open.request('POST /agents', { body: person })).toMatchObject({ status: 403 });
  });

  it('gives further keys that can be revoked, and lets only a registering key vouch for agents', async () => {
    const server = await start();
    const [coder, rival] = [await server.agent('coder'), await server.agent('rival')];
    const body = { name: 'laptop' };
    const { apiKey, key } = await server.ask('POST /agents/coder/keys', { as: coder.key, body });
    expect(await server.ask('GET /me', { as: apiKey })).toMatchObject({ agent: { id: coder.id } });
    expect(await server.request('GET /agents/coder/keys', { as: rival.key })).toMatchObject({ status: 403 });
    expect(await server.request(`DELETE /agents/coder/keys/${key.id}`, { as: rival.key })).toMatchObject({
      status: 403,
    });
    await server.ask(`DELETE /agents/coder/keys/${key.id}`, { as: coder.key });
    expect(await server.request('GET /me', { as: apiKey })).toMatchObject({ status: 401 });
    const wish = { name: 'fleet', mayRegister: true };
    expect(await server.request('POST /agents/coder/keys', { as: coder.key, body: wish })).toMatchObject({
      status: 403,
    });
    const fleet = await server.ask('POST /agents/coder/keys', { as: server.admin, body: wish });
    const own = await server.ask('POST /agents', { as: fleet.apiKey, body: { name: 'worker' } });
    await server.ask('POST /agents/worker/suspend', { as: coder.key, body: {} });
    expect(await server.request('GET /me', { as: own.apiKey })).toMatchObject({ status: 403 });
    expect(await server.request('POST /agents/worker/resume', { as: rival.key })).toMatchObject({
      status: 403,
    });
  });

  it('does not let the owner of one repository rule over agents', async () => {
    const server = await start();
    const [owner, coder] = [await server.agent('owner'), await server.agent('coder')];
    const { id } = await repoOf(server, owner.key);
    await server.ask(`POST /repos/${id}/access`, { as: owner.key, body: { agent: 'coder', level: 'write' } });
    for (const what of ['suspend', 'resume', 'rotate-key']) {
      const reply = await server.request(`POST /agents/coder/${what}`, { as: owner.key, body: {} });
      expect(reply).toMatchObject({ status: 403 });
    }
    expect(await server.ask('GET /me', { as: coder.key })).toMatchObject({ agent: { status: 'active' } });
    await server.ask('POST /agents/coder/suspend', { as: server.admin, body: {} });
    expect(await server.request('GET /me', { as: coder.key })).toMatchObject({ status: 403 });
  });

  it('says the same of a private repository as of one that does not exist', async () => {
    const server = await start();
    const [owner, stranger] = [await server.agent('owner'), await server.agent('stranger')];
    const repo = await repoOf(server, owner.key, { isPrivate: true });
    const { id: task } = await server.ask(`POST /repos/${repo.id}/tasks`, {
      as: owner.key,
      body: { title: 'secret' },
    });
    const nothing = '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e';
    const seen = async (path: string, name: string) => {
      const { status, body } = await server.request(path.replace('$', name), { as: stranger.key });
      return { status, error: { ...body.error, message: body.error.message.replace(name, '…') } };
    };
    for (const path of ['GET /repos/$', 'GET /repos/$/tasks', 'GET /repos/$/activity', 'DELETE /repos/$'])
      expect(await seen(path, repo.id)).toEqual(await seen(path, nothing));
    for (const path of ['GET /tasks/$', 'POST /tasks/$/cancel'])
      expect(await seen(path, task)).toEqual(await seen(path, nothing));
    expect(await server.request('GET /tasks/secret', { as: stranger.key })).toMatchObject({ status: 404 });
    expect((await server.ask('GET /repos', { as: stranger.key })).items).toEqual([]);
    expect((await server.ask('GET /repos', { as: owner.key })).items).toHaveLength(1);
    const heard = await server.ask('GET /activity', { as: stranger.key });
    expect(heard.items.map((event: { type: string }) => event.type)).toEqual(['agent.registered']);
    expect(heard.items[0].subject.id).toBe(stranger.id);
  });

  it('keeps what happens to agents out of the logs of repositories', async () => {
    const server = await start();
    const owner = await server.agent('owner');
    const { id } = await repoOf(server, owner.key);
    await server.agent('later');
    const { items } = await server.ask(`GET /repos/${id}/activity`, { as: owner.key });
    expect(items.map((event: { type: string }) => event.type)).toEqual(['maintainer.added', 'repo.created']);
  });

  it('takes the names of either case, and answers in one', async () => {
    const server = await start();
    const owner = await server.agent('owner');
    const { id } = await repoOf(server, owner.key, { is_private: true, ownership_model: 'guild' });
    const first = await server.ask(`POST /repos/${id}/tasks`, { as: owner.key, body: { title: 'one' } });
    const body = { title: 'two', depends_on: [first.id], expires_at: '2999-01-01T00:00:00.000Z' };
    const task = await server.ask(`POST /repos/${id}/tasks`, { as: owner.key, body });
    expect(task).toMatchObject({ dependsOn: [first.id], expiresAt: '2999-01-01T00:00:00.000Z' });
    const claim = { agent_id: owner.id, lease_ms: 60_000 };
    expect(await server.ask(`POST /tasks/${first.id}/claim`, { as: owner.key, body: claim })).toMatchObject({
      claim: { agentId: owner.id },
    });
    const changed = await server.ask(`PATCH /repos/${id}/config`, {
      as: owner.key,
      body: { changes: { min_reviews: 2 } },
    });
    expect(changed.config.min_reviews).toBe(2);
    const mode = await server.ask(`PATCH /repos/${id}`, {
      as: owner.key,
      body: { mergeMode: 'gated', min_reviews: 3 },
    });
    expect(mode).toMatchObject({ mergeMode: 'gated', config: { min_reviews: 3 } });
    expect(await server.ask(`GET /repos/${id}/config`, { as: owner.key })).toMatchObject({
      configSource: 'copy',
    });
    const odd = { constructor: 1, toString: 'x', title: 'odd' };
    expect(await server.request(`POST /repos/${id}/tasks`, { as: owner.key, body: odd })).toMatchObject({
      status: 201,
    });
  });

  it('lets a caller act only as itself, and as what it registered with a key for that', async () => {
    const server = await start();
    const [owner, rival] = [await server.agent('owner'), await server.agent('rival')];
    const { id } = await repoOf(server, owner.key);
    const { id: task } = await server.ask(`POST /repos/${id}/tasks`, {
      as: owner.key,
      body: { title: 'one' },
    });
    const as = (key: string, agentId: string) =>
      server.request(`POST /tasks/${task}/claim`, { as: key, body: { agentId } });
    expect(await as(rival.key, owner.id)).toMatchObject({ status: 403 });
    expect(await as(rival.key, 'nobody')).toMatchObject({ status: 403 });
    const fleet = await server.ask('POST /agents/rival/keys', {
      as: server.admin,
      body: { name: 'fleet', mayRegister: true },
    });
    const worker = await server.ask('POST /agents', { as: fleet.apiKey, body: { name: 'worker' } });
    expect(await as(rival.key, worker.agent.id)).toMatchObject({ status: 403 });
    expect(await as(fleet.apiKey, worker.agent.id)).toMatchObject({
      status: 200,
      body: { claim: { agentId: worker.agent.id } },
    });
  });

  it('does a request once under its key, and refuses the key for another one', async () => {
    const server = await start();
    const [owner, rival] = [await server.agent('owner'), await server.agent('rival')];
    const { id } = await repoOf(server, owner.key);
    const create = (key: string, title: string, as = owner.key) =>
      server.request(`POST /repos/${id}/tasks`, { as, body: { title }, headers: { 'idempotency-key': key } });
    const answers = await Promise.all([create('k', 'one'), create('k', 'one'), create('k', 'one')]);
    expect(new Set(answers.map((each) => each.body.id)).size).toBe(1);
    expect(await create('k', 'two')).toMatchObject({ status: 409 });
    expect(await create('k', 'two', rival.key)).toMatchObject({ status: 201 });
    expect(await create('with space', 'three')).toMatchObject({ status: 400 });
    expect((await server.ask(`GET /repos/${id}/tasks`, { as: owner.key })).items).toHaveLength(2);
  });

  it('pages through lists, and refuses limits and cursors that are none', async () => {
    const server = await start();
    const owner = await server.agent('owner');
    const { id } = await repoOf(server, owner.key);
    for (const title of ['one', 'two', 'three'])
      await server.ask(`POST /repos/${id}/tasks`, { as: owner.key, body: { title } });
    const list = (query: string, path = `/repos/${id}/tasks`) =>
      server.request(`GET ${path}?${query}`, { as: owner.key });
    const first = await list('limit=2');
    expect(first.body.items).toHaveLength(2);
    const second = await list(`limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items).toHaveLength(1);
    expect(second.body.nextCursor).toBeNull();
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'limit=1.5',
      'cursor=nonsense',
      'ready=maybe',
      'status=new',
    ])
      expect(await list(query)).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
    const foreign = await list(`cursor=${first.body.nextCursor}`, '/agents');
    expect(foreign).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
    expect((await list('ready=true&limit=200')).body.items).toHaveLength(3);
  });

  it('says what is malformed before it asks who sends it, and hides what is invisible before it forbids', async () => {
    const server = await start();
    const owner = await server.agent('owner');
    const { id } = await repoOf(server, owner.key, { agentAccess: 'allowlist' });
    const reader = await server.agent('reader');
    const post = (body: unknown, as?: string) => server.request(`POST /repos/${id}/tasks`, { as, body });
    expect(await post({})).toMatchObject({ status: 400 });
    expect(await post({ title: 'one' })).toMatchObject({ status: 401 });
    expect(await post({ title: 'one' }, reader.key)).toMatchObject({ status: 403 });
    const headers = { 'content-type': 'application/json' };
    for (const body of ['{', '[]', '"text"', '{"__proto__":{}}']) {
      const reply = await server.request(`POST /repos/${id}/tasks`, { as: owner.key, body, headers });
      expect(reply).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
    }
    const form = await server.request(`POST /repos/${id}/tasks`, {
      as: owner.key,
      body: 'title=x',
      headers: { 'content-type': 'text/plain' },
    });
    expect(form).toMatchObject({ status: 400 });
    const large = await post({ title: 'x', description: 'x'.repeat(5 * 1024 * 1024) }, owner.key);
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } });
    expect(await server.request('GET /nowhere', { as: owner.key })).toMatchObject({ status: 404 });
  });

  it('reaches its routes by the other addresses that documents use', async () => {
    const server = await start();
    const owner = await server.agent('owner');
    const { id } = await repoOf(server, owner.key);
    for (const path of [`//api/repos/${id}`, `//gitswarm/repos/${id}`, `//api/v1/gitswarm/repos/${id}`])
      expect(await server.ask(`GET ${path}`, { as: owner.key })).toMatchObject({ id });
  });

  it('is limited by key, with the time to wait', async () => {
    const server = await start({ switches: { rateLimit: 3 } });
    const me = (as?: string) => server.request('GET /me', { as });
    for (let i = 0; i < 3; i++) expect(await me(server.admin)).toMatchObject({ status: 200 });
    const refused = await me(server.admin);
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'limited' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await server.request('POST /invites', { as: server.admin, body: {} })).toMatchObject({
      status: 201,
    });
    expect(await me()).toMatchObject({ status: 401 });
    expect(await server.request('GET //health')).toMatchObject({ status: 200 });
  });
});

describe('around the routes', () => {
  it('logs requests with their ids, and no key', async () => {
    const server = await makeServer();
    const reply = await server.request('GET /me', {
      as: server.admin,
      headers: { 'x-request-id': 'my-id.1' },
    });
    expect(reply.headers.get('x-request-id')).toBe('my-id.1');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    const odd = await server.request('GET /me', { headers: { 'x-request-id': 'a b\u00e9' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.log.some((line) => JSON.parse(line).reqId === 'my-id.1')).toBe(true);
    expect(server.log.join('')).not.toContain(server.admin);
  });

  it('describes every route in one document that needs no key', async () => {
    const server = await makeServer();
    const document = await server.ask('GET /openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(document.paths['/tasks/{task}/claim'].post).toMatchObject({ operationId: 'task.claim' });
    const names = Object.values(document.paths as object).flatMap((path) => Object.values(path as object));
    expect(names.map((each) => each.operationId)).not.toContain('repo.report_config');
    const { post: prepare } = document.paths['/merges/{merge}/prepare'];
    expect(prepare.description).toContain('Where the clone is with the clients');
    expect(prepare.parameters).toContainEqual({ $ref: '#/components/parameters/Agent' });
    expect(document.components.parameters.Repo).toMatchObject({ name: 'X-GitSwarm-Repo', in: 'header' });
    expect(names.map((each) => each.operationId)).toEqual(
      expect.arrayContaining(['sync.batch', 'event.updates', 'file.patch', 'file.write', 'repo.upload']),
    );
    const docs = await server.request('GET /docs');
    expect(docs.body).toContain('task.claim');
  });

  it('gives internal endpoints no route', async () => {
    const server = await makeServer();
    const internal = endpoints.filter((endpoint) => endpoint.internal === true);
    expect(internal.length).toBeGreaterThan(10);
    for (const { method, path } of internal) {
      const asked = `${method} ${path.replace(/:\w+/g, 'x')}`;
      const body = method === 'GET' ? undefined : {};
      const reply = await server.request(asked, { as: server.admin, body });
      expect([asked, reply.status, reply.body.error.message]).toEqual([
        asked,
        404,
        expect.stringMatching(/^There is no route/),
      ]);
    }
  });

  it('stops in order: what runs is finished, and the port is free', async () => {
    const server = await makeServer();
    const running = server.request('GET /me', { as: server.admin });
    expect(await running).toMatchObject({ status: 200 });
    await server.stop();
    await expect(server.request('GET //health')).rejects.toThrow();
  });
});
