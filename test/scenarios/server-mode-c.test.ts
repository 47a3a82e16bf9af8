import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listRefs } from '../../src/git/refs.ts';
import { probeSandbox } from '../../src/sandbox/probe-sandbox.ts';
import { hostedRoutes } from '../../src/server/hosted-routes.ts';
import { rawRoutes } from '../../src/server/raw-routes.ts';
import { cleanStreams } from '../../src/workflows/hosted/clean-streams.ts';
import { createHostedStream } from '../../src/workflows/hosted/create-hosted-stream.ts';
import { gitFixture } from '../support/git-fixture.ts';
import { makeServer, type ServerForTests } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

type Agent = { id: string; key: string };

/** A repository whose clone is at the server, with its owner and two agents who never touch git. */
async function start(wish: object = {}, options: Parameters<typeof makeServer>[0] = {}) {
  const server = await makeServer({
    ...options,
    switches: { sandbox: 'off', allowLocalClones: true, ...options.switches },
  });
  const [owner, alpha, beta] = [
    await server.agent('owner'),
    await server.agent('alpha'),
    await server.agent('beta'),
  ];
  const repo = await server.ask('POST /repos', {
    as: owner.key,
    body: { name: 'demo', ownershipModel: 'guild', ...wish },
  });
  for (const maintainer of ['alpha', 'beta'])
    await server.ask(`POST /repos/${repo.id}/maintainers`, { as: owner.key, body: { agent: maintainer } });
  return { server, owner, alpha, beta, repo, work: workOf(server, repo.id) };
}

function workOf(server: ServerForTests, repoId: string) {
  const put = (agent: Agent, stream: string, path: string, content: string, headers = {}) =>
    server.request(`PUT /streams/${stream}/files/${path}`, { as: agent.key, body: content, headers });
  const stream = async (agent: Agent, name: string, files: Record<string, string>) => {
    const { id } = await server.ask(`POST /repos/${repoId}/streams`, {
      as: agent.key,
      body: { agentId: agent.id, name },
    });
    for (const [path, content] of Object.entries(files))
      expect((await put(agent, id, path, content)).status).toBeLessThan(300);
    await server.ask(`POST /streams/${id}/commits`, { as: agent.key, body: { message: name } });
    return id as string;
  };
  const approve = async (reviewer: Agent, stream: string) => {
    const body = { reviewerId: reviewer.id, verdict: 'approve' };
    return server.ask(`POST /streams/${stream}/reviews`, { as: reviewer.key, body });
  };
  const merge = (agent: Agent, stream: string) =>
    server.request(`POST /streams/${stream}/merge`, { as: agent.key, body: { agentId: agent.id } });
  const read = async (agent: Agent, stream: string, path: string) =>
    (await server.request(`GET /streams/${stream}/files/${path}`, { as: agent.key })).body;
  return { put, stream, approve, merge, read };
}

it('two agents without git: both work, clash, one resolves, and both reach the target', async () => {
  const { server, owner, alpha, beta, repo, work } = await start({
    config: { stabilize_command: 'test -f app.txt' },
  });
  const first = await work.stream(alpha, 'Say hello', { 'app.txt': 'hello\n', 'docs/a.md': '# A\n' });
  const second = await work.stream(beta, 'Say goodbye', { 'app.txt': 'goodbye\n' });
  const diff = await server.ask(`GET /streams/${first}/diff`, { as: beta.key });
  expect(diff).toMatchObject({ files: 2, insertions: 2 });
  expect((await server.ask(`GET /streams/${first}/diff/full`, { as: beta.key })).diff).toContain('+hello');

  await server.ask(`POST /streams/${first}/submit`, { as: alpha.key, body: { agentId: alpha.id } });
  expect(await work.merge(alpha, first)).toMatchObject({
    status: 422,
    body: { error: { code: 'gate_not_met' } },
  });
  await work.approve(beta, first);
  expect(await work.approve(owner, first)).toMatchObject({ consensus: { reached: true } });
  expect(await work.merge(alpha, first)).toMatchObject({
    status: 200,
    body: { merged: true, stream: { state: 'merged' } },
  });

  await server.ask(`POST /streams/${second}/submit`, { as: beta.key, body: {} });
  await work.approve(alpha, second);
  await work.approve(owner, second);
  const clash = await work.merge(beta, second);
  expect(clash).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  const [file] = clash.body.error.details.files;
  expect(file).toMatchObject({
    path: 'app.txt',
    base: null,
    ours: { content: 'goodbye\n' },
    theirs: { content: 'hello\n' },
  });
  expect(file.markers).toMatch(/<<<<<<<[\s\S]*goodbye[\s\S]*=======[\s\S]*hello[\s\S]*>>>>>>>/);

  const resolve = (files: object, as = beta.key) =>
    server.request(`POST /streams/${second}/resolve`, { as, body: { files } });
  expect(await resolve({})).toMatchObject({ status: 409 });
  expect(await resolve({ 'app.txt': { content: file.markers, encoding: 'utf8' } })).toMatchObject({
    status: 409,
  });
  expect(await resolve({ '../../x': { content: 'x' } })).toMatchObject({ status: 400 });
  expect(await resolve({ 'other.txt': { content: 'x' }, 'app.txt': { take: 'ours' } })).toMatchObject({
    status: 400,
  });
  const settled = await resolve({ 'app.txt': { content: 'hello\ngoodbye\n', encoding: 'utf8' } });
  expect(settled).toMatchObject({ status: 200 });
  await server.ask(`POST /streams/${second}/submit`, { as: beta.key, body: {} });
  await work.approve(alpha, second);
  await work.approve(owner, second);
  expect(await work.merge(beta, second)).toMatchObject({ status: 200, body: { merged: true } });

  const stable = await server.ask(`POST /repos/${repo.id}/stabilize`, { as: alpha.key, body: {} });
  expect(stable).toMatchObject({ result: 'green', tag: expect.stringMatching(/^green\//) });
  const promoted = await server.ask(`POST /repos/${repo.id}/promote`, { as: owner.key, body: {} });
  expect(promoted).toMatchObject({ promoted: true, toCommit: stable.commit, from: 'buffer', to: 'main' });
  const third = await server.ask(`POST /repos/${repo.id}/streams`, {
    as: alpha.key,
    body: { baseBranch: 'main' },
  });
  expect(await work.read(alpha, third.id, 'app.txt')).toBe('hello\ngoodbye\n');
  const { items } = await server.ask(`GET /streams/${third.id}/tree`, { as: alpha.key });
  expect(items.map((each: { path: string }) => each.path)).toEqual(['app.txt', 'docs/a.md']);
});

it('files have tags, keep their modes, and can be written only as what they are thought to be', async () => {
  const { server, alpha, beta, work } = await start();
  const id = await work.stream(alpha, 'Files', { 'a.txt': 'one\n' });
  const path = `/streams/${id}/files/a.txt`;
  const got = await server.request(`GET ${path}`, { as: beta.key });
  expect(got.body).toBe('one\n');
  expect(got.headers.get('content-type')).toContain('text/plain');
  const etag = got.headers.get('etag') ?? '';
  const put = (content: string, headers: Record<string, string>) =>
    work.put(alpha, id, 'a.txt', content, headers);
  expect(await put('two\n', { 'if-match': etag })).toMatchObject({ status: 200 });
  expect(await put('three\n', { 'if-match': etag })).toMatchObject({
    status: 412,
    body: { error: { code: 'stale' } },
  });
  expect(await put('x', { 'if-none-match': '*' })).toMatchObject({ status: 412 });
  expect(await put('x', { 'if-match': 'nonsense' })).toMatchObject({ status: 400 });
  expect(await work.read(alpha, id, 'a.txt')).toBe('two\n');
  expect(
    (await server.request(`GET ${path}`, { as: alpha.key, headers: { 'if-none-match': etag } })).status,
  ).toBe(200);

  const script = {
    content: Buffer.from('#!/bin/sh\n').toString('base64'),
    encoding: 'base64',
    mode: '100755',
  };
  const made = await server.request(`PUT /streams/${id}/files`, {
    as: alpha.key,
    body: { path: 'bin/run', ...script },
  });
  expect(made).toMatchObject({ status: 201, body: { path: 'bin/run', mode: '100755' } });
  expect(await work.put(alpha, id, 'bin/run', '#!/bin/bash\n')).toMatchObject({ body: { mode: '100755' } });
  expect(await work.put(alpha, id, 'bin', 'a file')).toMatchObject({ status: 409 });
  expect(await work.put(alpha, id, 'a.txt/b', 'below a file')).toMatchObject({ status: 409 });
  expect(await server.request(`DELETE ${path}`, { as: alpha.key })).toMatchObject({ status: 200 });
  expect(await server.request(`GET ${path}`, { as: alpha.key })).toMatchObject({ status: 404 });
  const commit = await server.ask(`POST /streams/${id}/commits`, {
    as: alpha.key,
    body: { message: 'Change' },
  });
  expect(commit.files.sort()).toEqual(['a.txt', 'bin/run']);
  const again = await server.ask(`POST /streams/${id}/commits`, {
    as: alpha.key,
    body: { message: 'Nothing' },
  });
  expect(again).toMatchObject({ commit: null });
});

it('takes a diff as a whole or not at all, and says what does not fit', async () => {
  const { server, alpha, beta, work } = await start();
  const id = await work.stream(alpha, 'Diff', { 'a.txt': 'one\ntwo\n', 'old.txt': 'moves\n' });
  const { head } = await server.ask(`GET /streams/${id}`, { as: alpha.key });
  const diff =
    'diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n' +
    'diff --git a/old.txt b/d/new.txt\nsimilarity index 100%\nrename from old.txt\nrename to d/new.txt\n';
  const patch = (body: unknown, as = alpha.key, headers = {}) =>
    server.request(`POST /streams/${id}/patch`, { as, body, headers });
  expect(await patch(diff, beta.key)).toMatchObject({ status: 403 });
  expect(await patch({ patch: diff, head: '0'.repeat(40) })).toMatchObject({ status: 412 });
  const staged = await patch({ patch: diff, head });
  expect(staged).toMatchObject({ status: 200, body: { files: ['a.txt', 'd/new.txt', 'old.txt'] } });
  expect(await patch(diff, alpha.key, { 'if-match': `"${'0'.repeat(40)}"` })).toMatchObject({ status: 412 });
  const again = await patch(diff, alpha.key, { 'if-match': staged.headers.get('etag') });
  expect(again).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  expect(again.body.error.details.files).toEqual([
    { path: 'a.txt', hunk: '@@ -1,2 +1,2 @@', expects: ['one', 'two'] },
    { path: 'd/new.txt', hunk: null, expects: [] },
  ]);
  expect(await patch('nonsense')).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
  const made = await server.ask(`POST /streams/${id}/commits`, { as: alpha.key, body: { message: 'Diff' } });
  expect(made.files.sort()).toEqual(['a.txt', 'd/new.txt', 'old.txt']);
  expect(await work.read(beta, id, 'a.txt')).toBe('one\nthree\n');
});

it('lets nobody else write, and no path lead out', async () => {
  const { server, alpha, beta, work } = await start();
  const id = await work.stream(alpha, 'Mine', { 'a.txt': 'one\n' });
  expect(await work.put(beta, id, 'a.txt', 'theirs')).toMatchObject({ status: 403 });
  expect(
    await server.request(`POST /streams/${id}/commits`, { as: beta.key, body: { message: 'x' } }),
  ).toMatchObject({ status: 403 });
  expect(await server.request(`PUT /streams/${id}/files/a.txt`, { body: 'x' })).toMatchObject({
    status: 401,
  });
  for (const path of [
    '%2e%2e%2fx',
    '..%2f..%2fx',
    '.git/config',
    '.GIT%2fhooks',
    '%2fetc%2fpasswd',
    'a%00b',
    'git~1/x',
    'a%5cb',
    'x%0a',
  ]) {
    expect(await work.put(alpha, id, path, 'x')).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid' } },
    });
    expect(await server.request(`GET /streams/${id}/files/${path}`, { as: alpha.key })).toMatchObject({
      status: 400,
    });
  }
  const large = await work.put(alpha, id, 'big', 'x'.repeat(17 * 1024 * 1024));
  expect(large).toMatchObject({ status: 413 });
});

it('a name is refused everywhere or read, listed and told everywhere as it was written', async () => {
  const { server, alpha, work } = await start();
  const id = await work.stream(alpha, 'Names', { 'a.txt': 'one\n' });
  const part = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '.git',
      'a',
      ' ',
      '%2e',
      '"q"',
      "it's",
      'ü',
      '日本',
      '-x',
      'CON',
      'a:b',
      '*',
      '#',
      '?',
      '\\',
      '~',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  );
  const names = fc.sample(
    fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    60,
  );
  const written = new Set(['a.txt']);
  for (const name of names) {
    const path = encodeURIComponent(name).replaceAll('.', '%2E');
    const { status } = await work.put(alpha, id, path, name);
    expect([name, [200, 201, 400, 404, 409].includes(status)]).toEqual([name, true]);
    if (status >= 300) continue;
    written.add(name);
    expect(await work.read(alpha, id, path)).toBe(name);
  }
  expect(written.size).toBeGreaterThan(5);
  const { items } = await server.ask(`GET /streams/${id}/tree?limit=200`, { as: alpha.key });
  expect(new Set(items.map((each: { path: string }) => each.path))).toEqual(written);
  await server.ask(`POST /streams/${id}/commits`, { as: alpha.key, body: { message: 'Names' } });
  const { perFile } = await server.ask(`GET /streams/${id}/diff`, { as: alpha.key });
  expect(new Set(perFile.map((each: { path: string }) => each.path))).toEqual(written);
});

it('writers of one stream at the same moment lose nothing', async () => {
  const { server, alpha, work } = await start();
  const id = await work.stream(alpha, 'Many', { 'a.txt': 'one\n' });
  const names = Array.from({ length: 12 }, (_, i) => `d${i % 3}/f${i}`);
  const answers = await Promise.all(names.map((name) => work.put(alpha, id, name, name)));
  expect(answers.map((each) => each.status)).toEqual(names.map(() => 201));
  const made = await server.ask(`POST /streams/${id}/commits`, { as: alpha.key, body: { message: 'All' } });
  expect(made.files.sort()).toEqual([...names].sort());
});

it('does what spans git and the ledger once under its key', async () => {
  const { server, alpha, repo } = await start();
  const body = { name: 'Once' };
  const create = () =>
    server.request(`POST /repos/${repo.id}/streams`, {
      as: alpha.key,
      body,
      headers: { 'idempotency-key': 'k' },
    });
  const answers = await Promise.all([create(), create(), create()]);
  expect(new Set(answers.map((each) => each.body.id)).size).toBe(1);
  expect((await server.ask(`GET /repos/${repo.id}/streams`, { as: alpha.key })).items).toHaveLength(1);
  // Another server on the same database and the same clone, a moment later.
  const actor = (await server.ask('GET /me', { as: alpha.key })).agent;
  const remote = { openRegistration: false, mayRegister: false };
  const workflow = await server.app.hosted.workflow(repo.id, { actor, remote });
  const ends = { operation: 'x', bodyHash: 'x', answerOf: (made: unknown) => made };
  const race = () => createHostedStream(workflow, { name: 'Raced' }, { key: 'raced', ends });
  expect((await race()).id).toBe((await race()).id);
  expect(await listRefs(workflow.git, ['refs/heads/stream/'])).toHaveLength(2);
});

it('clones a remote, pushes what lands, and remembers what the remote does not have yet', async () => {
  const git = gitFixture();
  git.commit('Begin', { 'README.md': '# Theirs\n' });
  const remote = `${tempDir('remote')}/it.git`;
  git.git('clone', '--quiet', '--bare', git.dir, remote);
  const { server, owner, alpha, beta, repo, work } = await start({ cloneUrl: remote });
  const id = await work.stream(alpha, 'Add', { 'a.txt': 'one\n' });
  await server.ask(`POST /streams/${id}/submit`, { as: alpha.key, body: {} });
  for (const reviewer of [beta, owner]) await work.approve(reviewer, id);
  const { body } = await work.merge(alpha, id);
  const unpushed = async () => (await server.ask(`GET /repos/${repo.id}/clone`, { as: owner.key })).unpushed;
  await expect
    .poll(() => git.tryGit(remote, 'rev-parse', '--verify', 'refs/heads/buffer').stdout.trim())
    .toBe(body.commit);
  await expect.poll(unpushed).toEqual([]);
});

it('clears up after streams that are over, and no commit becomes unreachable', async () => {
  const { server, owner, alpha, beta, repo, work } = await start();
  const agent = (await server.ask('GET /me', { as: owner.key })).agent;
  const remote = { openRegistration: false, mayRegister: false };
  const workflow = await server.app.hosted.workflow(repo.id, { actor: agent, remote });
  const refs = async () =>
    (await listRefs(workflow.git, ['refs/heads/stream/', 'refs/gitswarm/'])).map((ref) => ref.name);
  const landed = await work.stream(alpha, 'Lands', { 'a.txt': 'one\n' });
  const given = await work.stream(beta, 'Given up', { 'b.txt': 'two\n' });
  for (const id of [landed, given])
    await work.put(id === landed ? alpha : beta, id, 'rest.txt', 'never committed\n');
  await server.ask(`POST /streams/${landed}/submit`, { as: alpha.key, body: {} });
  for (const reviewer of [beta, owner]) await work.approve(reviewer, landed);
  expect((await work.merge(alpha, landed)).body).toMatchObject({ merged: true });
  await server.ask(`DELETE /streams/${given}`, { as: beta.key });
  await expect
    .poll(refs)
    .toEqual([
      expect.stringMatching(`refs/gitswarm/snapshots/${landed}/`),
      `refs/gitswarm/staged/${given}`,
      `refs/heads/stream/${given}`,
    ]);
  expect(await work.read(beta, landed, 'a.txt')).toBe('one\n');
  for (const [what, status] of [
    ['merge', 409],
    ['submit', 422],
    ['resolve', 422],
  ] as const)
    expect([
      what,
      (await server.request(`POST /streams/${landed}/${what}`, { as: alpha.key, body: {} })).status,
    ]).toEqual([what, status]);
  expect(await server.ask(`GET /streams/${landed}/diff`, { as: alpha.key })).toMatchObject({ files: 1 });
  const later = { ...workflow, clock: { now: () => Date.now() + 8 * 86_400_000 } };
  const dies = {
    ...later,
    reach: () => {
      throw new Error('the server dies here');
    },
  };
  await expect(cleanStreams(dies)).rejects.toThrow('dies');
  expect(await refs()).toHaveLength(3);
  expect(await cleanStreams(later)).toEqual([given]);
  expect(await cleanStreams(later)).toEqual([]);
  // Its commit is nowhere else: the branch stays, and what was staged is kept.
  expect(await refs()).toEqual([
    ...[landed, given].sort().map((id) => expect.stringMatching(`refs/gitswarm/snapshots/${id}/`)),
    `refs/heads/stream/${given}`,
  ]);
});

it('keeps its work when it is stopped and started again', async () => {
  const data = tempDir('data');
  const first = await start({}, { data });
  const id = await first.work.stream(first.alpha, 'Kept', { 'a.txt': 'one\n' });
  expect(await first.work.put(first.alpha, id, 'b.txt', 'staged\n')).toMatchObject({ status: 201 });
  await first.server.stop();
  const server = await makeServer({ data, switches: { sandbox: 'off' } });
  const work = workOf(server, first.repo.id);
  expect(await work.read(first.alpha, id, 'b.txt')).toBe('staged\n');
  const made = await server.ask(`POST /streams/${id}/commits`, {
    as: first.alpha.key,
    body: { message: 'Go on' },
  });
  expect(made.files).toEqual(['b.txt']);
});

it('runs commands of a repository enclosed: they see neither the server, nor its keys, nor other repositories', async (context) => {
  const probe = await probeSandbox();
  if (probe.isolation === 'plain') context.skip(probe.reason);
  const data = tempDir('data');
  const look = [
    `test ! -e ${data}/gitswarm.db`,
    `test "$(ls ${data}/repos | wc -l)" = 1`,
    'test -z "$GITSWARM_ADMIN_TOKEN$SECRET_TOKEN"',
    'git log -1 --format=%H',
    '! touch "$(git rev-parse --git-common-dir)/x"',
    'touch here',
  ];
  const variables = { GITSWARM_ADMIN_TOKEN: 'x'.repeat(30), SECRET_TOKEN: 'x' };
  const config = { stabilize_command: look.join(' && ') };
  const { server, owner, alpha, repo, work } = await start(
    { config },
    { data, variables, switches: { sandbox: 'required' } },
  );
  await server.ask('POST /repos', { as: owner.key, body: { name: 'another' } });
  await work.stream(alpha, 'Work', { 'a.txt': 'x' });
  const answer = await server.ask(`POST /repos/${repo.id}/stabilize`, { as: alpha.key, body: {} });
  expect(answer).toMatchObject({ result: 'green' });
});

it('runs no command that only a committed file asks for, until an owner has approved it', async () => {
  const { server, owner, alpha, beta, repo, work } = await start();
  const id = await work.stream(alpha, 'Settings', {
    '.gitswarm/config.yml': 'stabilize_command: touch /tmp/never\n',
  });
  await server.ask(`POST /streams/${id}/submit`, { as: alpha.key, body: {} });
  for (const reviewer of [beta, owner]) await work.approve(reviewer, id);
  expect(await work.merge(alpha, id)).toMatchObject({ status: 200, body: { merged: true } });
  const run = () => server.request(`POST /repos/${repo.id}/stabilize`, { as: alpha.key, body: {} });
  expect(await run()).toMatchObject({ status: 403, body: { error: { code: 'untrusted_command' } } });
  expect(await server.request(`POST /repos/${repo.id}/trust`, { as: alpha.key, body: {} })).toMatchObject({
    status: 403,
  });
  const { approved } = await server.ask(`POST /repos/${repo.id}/trust`, { as: owner.key, body: {} });
  expect(approved).toEqual([{ setting: 'stabilize_command', text: 'touch /tmp/never' }]);
});

it('lets neither strangers nor readers do anything to a private repository', async () => {
  const { server, owner, alpha, repo, work } = await start({ isPrivate: true, agentAccess: 'allowlist' });
  const id = await work.stream(alpha, 'Private', { 'a.txt': 'x' });
  const reader = await server.agent('reader');
  const stranger = await server.agent('stranger');
  await server.ask(`POST /repos/${repo.id}/access`, {
    as: owner.key,
    body: { agent: 'reader', level: 'read' },
  });
  const sizes = { minMembers: 2, standardQuorum: 2, criticalQuorum: 2 };
  await server.ask(`POST /repos/${repo.id}/council`, { as: owner.key, body: sizes });
  for (const agent of ['owner', 'alpha'])
    await server.ask(`POST /repos/${repo.id}/council/members`, { as: owner.key, body: { agent } });
  const proposal = await server.ask(`POST /repos/${repo.id}/council/proposals`, {
    as: owner.key,
    body: { title: 'add', type: 'add_maintainer', data: { agent: 'reader' } },
  });
  const asked: [what: string, body: unknown][] = [
    [`POST /proposals/${proposal.id}/vote`, { vote: 'for' }],
    [`POST /repos/${repo.id}/streams`, { name: 'x' }],
    [`PATCH /streams/${id}`, { status: 'abandoned' }],
    [`DELETE /streams/${id}`, undefined],
    [`POST /streams/${id}/finish`, {}],
    [`POST /repos/${repo.id}/undo`, {}],
    [`PUT /repos/${repo.id}/config/file`, { text: null }],
    [`POST /streams/${id}/commits`, { message: 'x' }],
    [`PUT /streams/${id}/files/a.txt`, 'theirs'],
    [`DELETE /streams/${id}/files/a.txt`, undefined],
    [`POST /streams/${id}/patch`, 'diff'],
    [`POST /repos/${repo.id}/bundle`, 'bundle'],
    [`POST /streams/${id}/submit`, {}],
    [`POST /streams/${id}/reviews`, { verdict: 'approve' }],
    [`POST /streams/${id}/merge`, {}],
    [`POST /streams/${id}/resolve`, { strategy: 'ours' }],
    [`POST /repos/${repo.id}/stabilize`, {}],
    [`POST /repos/${repo.id}/promote`, {}],
    [`POST /repos/${repo.id}/trust`, {}],
    [`POST /repos/${repo.id}/queue/run`, {}],
    [`POST /repos/${repo.id}/merges/${id}/revert`, {}],
    [`PATCH /repos/${repo.id}/config`, { changes: { is_private: false } }],
    [`PATCH /repos/${repo.id}`, { isPrivate: false }],
  ];
  const isAsked = (method: string, path: string) => {
    const pattern = new RegExp(`^${method} ${path.replace(/[:{]\w+}?/g, '[^ ]+')}$`);
    return asked.some(([what]) => pattern.test(what));
  };
  const hosted = [...hostedRoutes.values()].map(({ endpoint }) => [endpoint.method, endpoint.path] as const);
  const raw = Object.entries(rawRoutes).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => [method.toUpperCase(), path] as const),
  );
  const missing = [...hosted, ...raw].filter(([method, path]) => method !== 'GET' && !isAsked(method, path));
  expect(missing).toEqual([['POST', '/repos']]);
  for (const [what, body] of asked) {
    expect([what, (await server.request(what, { as: stranger.key, body })).status]).toEqual([what, 404]);
    expect([what, (await server.request(what, { as: reader.key, body })).status]).toEqual([what, 403]);
    expect([what, (await server.request(what, { body })).status]).toEqual([what, 401]);
  }
  for (const path of ['tree', 'diff', 'diff/full', 'conflicts', 'files/a.txt']) {
    expect((await server.request(`GET /streams/${id}/${path}`, { as: stranger.key })).status).toBe(404);
    expect((await server.request(`GET /streams/${id}/${path}`, { as: reader.key })).status).toBe(200);
  }
});

it('measures by itself what has landed, whatever a caller says', async () => {
  const { server, alpha, repo, work } = await start({ config: { merge_mode: 'swarm' } });
  const id = await work.stream(alpha, 'Swarm', { 'a.txt': 'landed' });
  const { head, baseCommit: base } = await server.ask(`GET /streams/${id}`, { as: alpha.key });
  await server.ask(`POST /repos/${repo.id}/queue/pause`, { as: alpha.key, body: {} });
  await work.put(alpha, id, 'b.txt', 'not landed');
  await server.ask(`POST /streams/${id}/commits`, { as: alpha.key, body: { message: 'More' } });
  const facts = { head, base, patchId: '', paths: [], commits: [] };
  const finish = () => server.request(`POST /streams/${id}/finish`, { as: alpha.key, body: { facts } });
  expect(await finish()).toMatchObject({ status: 422 });
  await server.ask(`POST /repos/${repo.id}/queue/resume`, { as: alpha.key, body: {} });
  expect((await work.merge(alpha, id)).body).toMatchObject({ merged: true });
  expect(await finish()).toMatchObject({ status: 200, body: { state: 'merged' } });
});

it('keeps a commit that may not land now, says why, and lands it with the next', async () => {
  const { server, owner, alpha, repo, work } = await start({ config: { merge_mode: 'swarm' } });
  const stream = await work.stream(alpha, 'first', { 'a.txt': 'a\n' });
  await server.ask(`POST /repos/${repo.id}/queue/freeze`, { as: owner.key, body: { reason: 'release' } });
  const commit = async (path: string) => {
    await work.put(alpha, stream, path, path);
    return server.ask(`POST /streams/${stream}/commits`, { as: alpha.key, body: { message: path } });
  };
  expect(await commit('b.txt')).toMatchObject({
    commit: expect.any(String),
    files: ['b.txt'],
    merged: false,
    waitsFor: expect.stringContaining('frozen'),
  });
  await server.ask(`POST /repos/${repo.id}/queue/unfreeze`, { as: owner.key, body: {} });
  expect(await commit('c.txt')).toMatchObject({ merged: true, waitsFor: null });
  const outsider = await server.agent('outsider');
  await server.ask(`POST /repos/${repo.id}/access`, {
    as: owner.key,
    body: { agent: outsider.id, level: 'write' },
  });
  const sly = await work.stream(outsider, 'sly', {});
  await work.put(outsider, sly, '.gitswarm/config.yml', 'min_reviews: 0\n');
  const kept = await server.ask(`POST /streams/${sly}/commits`, {
    as: outsider.key,
    body: { message: 'sly' },
  });
  expect(kept).toMatchObject({
    commit: expect.any(String),
    merged: false,
    waitsFor: expect.stringContaining('no consensus'),
  });
});

it('a verdict is about what review next has shown', async () => {
  const { server, alpha, beta, repo, work } = await start();
  const id = await work.stream(alpha, 'good', { 'a.txt': 'a\n' });
  await server.ask(`POST /streams/${id}/submit`, { as: alpha.key, body: {} });
  const next = () => server.ask(`GET /repos/${repo.id}/reviews/next`, { as: beta.key });
  const shown = await next();
  expect(shown.stream.id).toBe(id);
  await work.put(alpha, id, 'evil.txt', 'evil\n');
  await server.ask(`POST /streams/${id}/commits`, { as: alpha.key, body: { message: 'evil' } });
  const approve = () =>
    server.request(`POST /streams/${id}/reviews`, { as: beta.key, body: { verdict: 'approve' } });
  expect(await approve()).toMatchObject({ status: 412, body: { error: { code: 'stale' } } });
  expect((await next()).stream.head).not.toBe(shown.stream.head);
  expect(await approve()).toMatchObject({ body: { stream: { state: 'approved' } } });
});

it('refuses settings that are none, and addresses it must not look at', async () => {
  const server = await makeServer();
  const make = (body: object) =>
    server.request('POST /repos', { as: server.admin, body: { name: 'x', ...body } });
  for (const config of [
    { merge_mode: 'x' },
    { promote_target: '--upload-pack=x' },
    { promote_target: 'buffer' },
    { odd: 1 },
  ])
    expect(await make({ config })).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
  for (const cloneUrl of ['/etc', 'file:///etc', 'http://127.0.0.1/x', 'ext::sh -c id', '-x'])
    expect(await make({ cloneUrl })).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
  expect((await server.ask('GET /repos', { as: server.admin })).items).toEqual([]);
});
