import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fixtureEnv, type GitFixture, gitFixture } from '../support/git-fixture.ts';
import { makeServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

async function start() {
  const data = tempDir('data');
  const server = await makeServer({ data, switches: { sandbox: 'off' } });
  const [owner, coder] = [await server.agent('owner'), await server.agent('coder')];
  const repo = await server.ask('POST /repos', { as: owner.key, body: { name: 'demo' } });
  const upload = (bytes: Buffer, as = owner.key) =>
    server.request(`POST /repos/${repo.id}/bundle`, {
      as,
      body: bytes,
      headers: { 'content-type': 'application/octet-stream' },
    });
  const clone = join(data, 'repos', `${repo.id}.git`);
  return { server, owner, coder, repo, upload, clone };
}

function bundle(git: GitFixture, ...what: string[]): Buffer {
  const file = join(git.top, 'it.bundle');
  git.git('bundle', 'create', '--quiet', file, ...what);
  return readFileSync(file);
}

it('begins with what an owner uploads, and moves only forward from there', async () => {
  const { server, owner, coder, repo, upload, clone } = await start();
  const git = gitFixture({ branch: 'main' });
  const first = git.commit('Begin', { 'a.txt': 'one\n' });
  git.git('branch', 'side');
  git.git('tag', '-a', '-m', 'x', 'v1');
  for (const ref of ['refs/gitswarm/staged/x', 'refs/heads/stream/y', 'refs/tags/green/x', 'refs/notes/n'])
    git.git('update-ref', ref, first);
  const whole = bundle(git, '--all', 'HEAD');
  expect(await upload(whole, coder.key)).toMatchObject({ status: 403 });
  const taken = await upload(whole);
  expect(taken).toMatchObject({ status: 200 });
  expect(taken.body.moved.map((each: { ref: string }) => each.ref).sort()).toEqual([
    'refs/heads/buffer',
    'refs/heads/main',
    'refs/heads/side',
    'refs/tags/v1',
  ]);
  expect(taken.body.ignored.sort()).toEqual([
    'HEAD',
    'refs/gitswarm/staged/x',
    'refs/heads/stream/y',
    'refs/notes/n',
    'refs/tags/green/x',
  ]);
  expect((await upload(whole)).body.moved).toEqual([]);
  const stream = await server.ask(`POST /repos/${repo.id}/streams`, { as: coder.key, body: {} });
  expect((await server.request(`GET /streams/${stream.id}/files/a.txt`, { as: coder.key })).body).toBe(
    'one\n',
  );

  git.branchFrom('side', first);
  const second = git.commit('On', { 'b.txt': 'two\n' });
  const thin = bundle(git, 'side', '^main');
  expect(await upload(thin)).toMatchObject({
    body: { moved: [{ ref: 'refs/heads/side', old: first, new: second }] },
  });
  git.git('checkout', '--quiet', '-B', 'side', first);
  git.commit('Another', { 'b.txt': 'other\n' });
  expect(await upload(bundle(git, 'side'))).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict' } },
  });
  git.git('checkout', '--quiet', 'main');
  git.commit('Past everybody', { 'a.txt': 'forced\n' });
  expect(await upload(bundle(git, 'main'))).toMatchObject({ status: 403 });
  git.git('tag', '-f', '-a', '-m', 'y', 'v1');
  expect(await upload(bundle(git, 'v1'))).toMatchObject({ status: 409 });
  expect(git.gitIn(clone, 'rev-parse', 'main', 'side')).toBe(`${first}\n${second}`);
  const { items } = await server.ask(`GET /repos/${repo.id}/activity?type=repo.uploaded`, { as: owner.key });
  expect(items).toHaveLength(2);
});

it('lets maintainers, or all who may write, move what a branch rule opens to them, and nothing else', async () => {
  const { server, owner, coder, repo, upload, clone } = await start();
  const mary = await server.agent('mary');
  await server.ask(`POST /repos/${repo.id}/maintainers`, { as: owner.key, body: { agent: 'mary' } });
  const git = gitFixture({ branch: 'main' });
  git.commit('Begin', { 'a.txt': 'one\n' });
  expect(await upload(bundle(git, 'main'))).toMatchObject({ status: 200 });
  const rule = (pattern: string, direct_push: string) =>
    server.ask(`POST /repos/${repo.id}/branch-rules`, {
      as: owner.key,
      body: { rule: { pattern, direct_push } },
    });
  const statuses = async (bytes: Buffer) => {
    const found = [];
    for (const { key } of [coder, mary, owner]) found.push((await upload(bytes, key)).status);
    return found;
  };
  git.commit('By hand', { 'a.txt': 'two\n' });
  expect(await statuses(bundle(git, 'main'))).toEqual([403, 403, 403]);
  await rule('main', 'maintainers');
  expect(await statuses(bundle(git, 'main'))).toEqual([403, 200, 200]);
  expect(git.gitIn(clone, 'rev-parse', 'main')).toBe(git.oid('main'));
  await rule('open/*', 'all');
  git.git('branch', 'open/x');
  git.git('branch', 'shut');
  expect(await statuses(bundle(git, 'shut'))).toEqual([403, 403, 200]);
  expect(await statuses(bundle(git, 'open/x'))).toEqual([200, 200, 200]);
  expect((await upload(bundle(git, 'open/x', 'shut'), coder.key)).status).toBe(200);
  git.git('tag', 'v1');
  expect(await statuses(bundle(git, 'v1'))).toEqual([403, 403, 200]);
  await rule('m*', 'none');
  git.commit('Shut again', { 'a.txt': 'three\n' });
  expect(await statuses(bundle(git, 'main'))).toEqual([403, 403, 403]);
});

it('takes settings past a review from owners alone', async () => {
  const { server, owner, coder, repo, upload } = await start();
  const git = gitFixture({ branch: 'main' });
  git.commit('Begin', { 'a.txt': 'one\n' });
  await upload(bundle(git, 'main'));
  await server.ask(`POST /repos/${repo.id}/branch-rules`, {
    as: owner.key,
    body: { rule: { pattern: 'main', direct_push: 'all' } },
  });
  git.commit('Sly', { '.gitswarm/config.yml': 'min_reviews: 0\n' });
  expect(await upload(bundle(git, 'main'), coder.key)).toMatchObject({
    status: 403,
    body: { error: { message: expect.stringContaining('settings') } },
  });
  expect(await upload(bundle(git, 'main'))).toMatchObject({ status: 200 });
});

it('takes nothing of a bundle that is broken, incomplete or hostile', async () => {
  const { server, owner, repo, upload, clone } = await start();
  const git = gitFixture({ branch: 'main' });
  git.commit('Begin', { 'a.txt': 'x'.repeat(10_000) });
  const next = git.commit('Next', { 'b.txt': 'y\n' });
  const good = bundle(git, 'main');
  const refused = async (bytes: Buffer) => {
    const reply = await upload(bytes);
    expect([reply.status, reply.body.error?.code]).toEqual([400, 'invalid']);
    expect(JSON.stringify(reply.body)).not.toContain(clone);
  };
  await refused(Buffer.from('nothing like it'));
  await refused(Buffer.alloc(0));
  await refused(good.subarray(0, good.length - 40));
  await refused(bundle(git, 'main', '^main~1'));
  await refused(Buffer.from(good.toString('latin1').replace(next, 'f'.repeat(40)), 'latin1'));
  await refused(Buffer.from(good.toString('latin1').replace('refs/heads/main', 'refs/../HEAD  '), 'latin1'));
  git.commit('Modules', { '.gitmodules': '[submodule "x"]\n path = x\n url = --upload-pack=touch\n' });
  await refused(bundle(git, 'main'));
  git.git('update-ref', 'refs/heads/main', treeWith(git, '.git'));
  await refused(bundle(git, 'main'));
  git.git('update-ref', 'refs/heads/main', next);
  git.git('update-ref', 'refs/tags/blob', git.git('rev-parse', 'main:b.txt'));
  await refused(bundle(git, 'main', 'refs/tags/blob'));
  for (const name of ['old', 'young']) {
    const path = join(clone, 'objects', `tmp_objdir-incoming-${name}`);
    mkdirSync(path);
    if (name === 'old') utimesSync(path, 1_700_000_000, 1_700_000_000);
  }
  await refused(Buffer.from('what died long ago goes'));
  const left = readdirSync(join(clone, 'objects')).filter((name) => name.startsWith('tmp'));
  expect([left, readdirSync(join(clone, 'gitswarm', 'uploads'))]).toEqual([
    ['tmp_objdir-incoming-young'],
    [],
  ]);
  expect(git.tryGit(clone, 'cat-file', '-e', next).status).not.toBe(0);
  const client = await server.ask('POST /repos/register', { as: owner.key, body: { name: 'b' } });
  expect(
    await server.request(`POST /repos/${client.id}/bundle`, { as: owner.key, body: good }),
  ).toMatchObject({ status: 422 });
  expect(await server.request(`POST /repos/${repo.id}/bundle`, { body: good })).toMatchObject({
    status: 401,
  });
  expect(await upload(good)).toMatchObject({ status: 200 });
});

/** A commit whose tree has a file of a name that git itself would not write. */
function treeWith(git: GitFixture, name: string): string {
  const blob = Buffer.from(git.oid('HEAD:b.txt'), 'hex');
  const file = join(git.top, 'tree');
  writeFileSync(file, Buffer.concat([Buffer.from(`100644 ${name}\0`), blob]));
  const options = { cwd: git.dir, env: fixtureEnv, encoding: 'utf8' } as const;
  const tree = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', file], options).trim();
  return git.git('commit-tree', '-m', 'x', tree);
}
