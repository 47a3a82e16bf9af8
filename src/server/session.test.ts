import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { openSocket, openStream } from '../../test/support/followers.ts';
import { makeServer, type RequestOptions, type ServerForTests } from '../../test/support/server.ts';
import { makeLoginLink } from '../app/login-link.ts';
import { ManualClock } from '../base/clock.ts';

/** What a browser adds to a write of one of our own pages. */
const ownPage = (server: ServerForTests) => ({ origin: server.url, 'x-gitswarm-csrf': '1' });

function post(server: ServerForTests, path: string, { headers, ...rest }: RequestOptions = {}) {
  return server.request(`POST //${path}`, { ...rest, headers: { ...ownPage(server), ...headers } });
}

/** Signs in, and answers the cookie as a browser sends it back. */
async function signIn(server: ServerForTests, proof: object, cookie?: string): Promise<string> {
  const headers = cookie === undefined ? {} : { cookie };
  const reply = await post(server, 'login', { body: proof, headers });
  if (reply.status !== 200) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.headers.get('set-cookie')?.split(';')[0] ?? '';
}

async function linkToken(server: ServerForTests, agent?: string): Promise<string> {
  return (await makeLoginLink(server.app.kernel, agent)).path.replace('/login?token=', '');
}

forEachDatabase((_kind, makeDatabase) => {
  const start = async (options = {}) => makeServer({ place: await makeDatabase.place(), ...options });
  const me = async (server: ServerForTests, cookie: string) =>
    (await server.request('GET /me', { headers: { cookie } })).status;

  it('signs in with a link or a key, in a cookie that scripts and other sites cannot use', async () => {
    const server = await start();
    const coder = await server.agent('coder');
    const byLink = await post(server, 'login', { body: { token: await linkToken(server) } });
    expect(byLink).toMatchObject({ status: 200, body: { agent: { name: 'admin' } } });
    const cookie = byLink.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^gitswarm_session=gss_[0-9a-f]{64}; Path=\/; Expires=.+; HttpOnly; SameSite=Strict$/,
    );
    expect(JSON.stringify(byLink.body)).not.toContain('gss_');
    const headers = { cookie: await signIn(server, { apiKey: coder.key }) };
    expect(await server.ask('GET /me', { headers })).toMatchObject({ agent: { name: 'coder' } });
    for (const proof of [{ apiKey: 'gsw_wrong-wrong-wrong-wrong' }, { token: 'gsl_x' }])
      expect(await post(server, 'login', { body: proof })).toMatchObject({ status: 401 });
    for (const body of [{}, { token: 'x', apiKey: 'y' }, { token: 1 }])
      expect(await post(server, 'login', { body })).toMatchObject({ status: 400 });
    const answers = [byLink.body, server.log].map((each) => JSON.stringify(each)).join('');
    expect(answers).not.toContain(coder.key);
  });

  it('uses a link once, also when it is opened twice at the same moment at two servers', async () => {
    const place = await makeDatabase.place();
    const [one, two] = [await makeServer({ place }), await makeServer({ place })];
    const token = await linkToken(one);
    expect((await one.request(`GET //login?token=${token}`)).status).toBeLessThan(500);
    const tries = [one, two, one, two].map((server) => post(server, 'login', { body: { token } }));
    const statuses = (await Promise.all(tries)).map((reply) => reply.status);
    expect(statuses.sort()).toEqual([200, 401, 401, 401]);
    expect(one.log.join('')).not.toContain(token);
  });

  it('takes no link after a quarter of an hour, and no session after a week or beyond its key', async () => {
    const clock = new ManualClock();
    const server = await start({ clock });
    const token = await linkToken(server);
    const cookie = await signIn(server, { token: await linkToken(server) });
    const coder = await server.agent('coder');
    const body = { name: 'short', expiresAt: '2026-01-01T00:05:00.000Z' };
    const { apiKey } = await server.ask('POST /agents/coder/keys', { as: coder.key, body });
    const short = await signIn(server, { apiKey });
    expect(await me(server, short)).toBe(200);
    clock.advance(15 * 60_000);
    expect(await post(server, 'login', { body: { token } })).toMatchObject({ status: 401 });
    expect([await me(server, cookie), await me(server, short)]).toEqual([200, 401]);
    clock.advance(7 * 24 * 60 * 60_000);
    expect(await me(server, cookie)).toBe(401);
  });

  it('refuses writes with the cookie without the header, or from any other origin', async () => {
    const server = await start();
    const cookie = await signIn(server, { apiKey: server.admin });
    const write = (headers: Record<string, string>, as?: string) =>
      server.request('POST /invites', { body: {}, headers: { cookie, ...headers }, as });
    const { origin, ...header } = ownPage(server);
    const host = new URL(server.url).host;
    expect(await write({ origin })).toMatchObject({ status: 403, body: { error: { code: 'not_allowed' } } });
    for (const foreign of [
      'https://evil.example',
      `http://${host}.evil.example`,
      'http://127.0.0.1:1',
      'null',
      '',
    ])
      expect(await write({ ...header, origin: foreign })).toMatchObject({ status: 403 });
    expect(await write(header)).toMatchObject({ status: 403 });
    expect((await server.ask('GET /invites', { as: server.admin })).items).toEqual([]);
    expect(await write({ ...header, origin })).toMatchObject({ status: 201 });
    expect(await write({}, server.admin)).toMatchObject({ status: 201 });
    const read = { cookie, origin: 'https://evil.example' };
    expect(await server.request('GET /me', { headers: read })).toMatchObject({ status: 403 });
    for (const path of ['login', 'logout'])
      for (const headers of [{ origin: 'https://evil.example' }, { 'x-gitswarm-csrf': '' }])
        expect(await post(server, path, { body: { apiKey: server.admin }, headers })).toMatchObject({
          status: 403,
        });
  });

  it('lets the key decide where there are both, valid or not', async () => {
    const server = await start();
    const coder = await server.agent('coder');
    const cookie = await signIn(server, { apiKey: server.admin });
    const asked = await server.ask('GET /me', { as: coder.key, headers: { cookie } });
    expect(asked).toMatchObject({ agent: { name: 'coder' } });
    const wrong = await server.request('GET /me', { as: 'gsw_wrong-wrong-wrong-wrong', headers: { cookie } });
    expect(wrong).toMatchObject({ status: 401 });
    const secret = cookie.split('=')[1];
    expect(await server.request('GET /me', { as: secret })).toMatchObject({ status: 401 });
  });

  it('takes no cookie again after signing out, and tells the browser to forget it', async () => {
    const server = await start();
    const cookie = await signIn(server, { apiKey: server.admin });
    const left = await post(server, 'logout', { headers: { cookie } });
    expect(left).toMatchObject({ status: 200 });
    expect(left.headers.get('set-cookie')).toMatch(/^gitswarm_session=; .*Max-Age=0/);
    expect(await me(server, cookie)).toBe(401);
    expect(await post(server, 'logout', { headers: { cookie } })).toMatchObject({ status: 200 });
  });

  it('never goes on under a cookie that was there before signing in', async () => {
    const server = await start();
    const planted = `gitswarm_session=gss_${'a'.repeat(64)}`;
    const first = await signIn(server, { apiKey: server.admin }, planted);
    expect(first).not.toBe(planted);
    expect(await me(server, planted)).toBe(401);
    const second = await signIn(server, { apiKey: server.admin }, first);
    expect([await me(server, first), await me(server, second)]).toEqual([401, 200]);
    expect(await me(server, `${planted}; ${second}`)).toBe(401);
  });

  it('ends the sessions of an agent that is suspended or changes its key, and those of a key that is revoked', async () => {
    const server = await start();
    const coder = await server.agent('coder');
    const { apiKey, key } = await server.ask('POST /agents/coder/keys', {
      as: coder.key,
      body: { name: 'x' },
    });
    const [own, other] = [await signIn(server, { apiKey: coder.key }), await signIn(server, { apiKey })];
    await server.ask(`DELETE /agents/coder/keys/${key.id}`, { as: coder.key });
    expect([await me(server, own), await me(server, other)]).toEqual([200, 401]);
    const { apiKey: next } = await server.ask('POST /agents/coder/rotate-key', { as: coder.key });
    expect(await me(server, own)).toBe(401);
    const again = await signIn(server, { apiKey: next });
    const link = await linkToken(server, 'coder');
    await server.ask('POST /agents/coder/suspend', { as: server.admin, body: {} });
    expect(await me(server, again)).toBe(401);
    for (const body of [{ apiKey: next }, { token: link }])
      expect(await post(server, 'login', { body })).toMatchObject({ status: 403 });
    await server.ask('POST /agents/coder/resume', { as: server.admin, body: {} });
    expect(await me(server, again)).toBe(401);
    expect(await me(server, await signIn(server, { token: link }))).toBe(200);
  });

  it('follows the log with the cookie from its own pages only, and until the session ends, at every server', async () => {
    const place = await makeDatabase.place();
    const [server, second] = [await makeServer({ place }), await makeServer({ place })];
    const cookie = await signIn(server, { apiKey: server.admin });
    const foreign = { cookie, origin: 'https://evil.example' };
    const events = `${second.url}/api/v1/events`;
    expect((await openStream(events, undefined, foreign)).status).toBe(403);
    for (const headers of [foreign, { cookie }] as Record<string, string>[]) {
      const refused = await openSocket(server.url, undefined, headers);
      refused.send({ type: 'subscribe' });
      expect(await refused.next('error')).toMatchObject({ error: { code: 'unauthenticated' } });
    }
    const stream = await openStream(events, undefined, { cookie });
    const socket = await openSocket(server.url, undefined, { cookie, origin: server.url });
    await socket.next('ready');
    socket.send({ type: 'subscribe' });
    await socket.next('subscribed');
    await server.agent('coder');
    await socket.messages.until(() => socket.events().length === 1);
    await stream.events.until(() => stream.events.all.length === 1);
    await post(server, 'logout', { headers: { cookie } });
    await stream.events.until(() => stream.events.ended !== undefined);
    await socket.messages.until(() => socket.messages.ended !== undefined);
    expect(socket.messages.ended).toBe('4401');
  });
});

it('marks the cookie as secure behind TLS, where only the encrypted origin is its own', async () => {
  const server = await makeServer({ behindTls: true });
  const host = new URL(server.url).host;
  const login = (origin: string) =>
    post(server, 'login', { body: { apiKey: server.admin }, headers: { origin } });
  expect(await login(`http://${host}`)).toMatchObject({ status: 403 });
  const reply = await login(`https://${host}`);
  expect(reply.headers.get('set-cookie')).toMatch(/; Secure$/);
});

it('limits attempts to sign in by address', async () => {
  const server = await makeServer({ switches: { rateLimit: 100 } });
  const attempt = () => post(server, 'login', { body: { apiKey: 'gsw_guess-guess-guess-guess' } });
  for (let i = 0; i < 10; i++) expect(await attempt()).toMatchObject({ status: 401 });
  const refused = await attempt();
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 'limited' } } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await server.request('GET /me', { as: server.admin })).toMatchObject({ status: 200 });
});
