import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MachineForTests, reviewedMachines, startFleet } from '../support/connected.ts';
import { makeFaultyProxy } from '../support/faulty-proxy.ts';
import { gitFixture } from '../support/git-fixture.ts';

it('a fork and a folder without a remote do not join, and another way to the same remote does', async () => {
  const { one, two, ready, coder, clone, git, remote, line, keys } = await reviewedMachines();
  const fork = join(git.top, 'fork.git');
  git.gitIn(git.top, 'clone', '--quiet', '--bare', remote, fork);
  const work = await ready(one, 'cache');
  const connect = ['connect', '--server', line.url, '--token', keys.reviewer, '--repo', 'one'];
  const joining = clone('joining');
  git.gitIn(joining.dir, 'remote', 'set-url', 'origin', fork);
  await one.ask(['merge', work.id], coder);
  const refused = await joining.ask(connect, { exit: 5 });
  expect(refused).toMatchObject({ code: 'conflict', details: { expected: remote, remote: fork } });
  expect(refused.message).toContain(remote);
  expect(refused.message).toContain(fork);
  expect(git.tryGit(joining.dir, 'for-each-ref', 'refs/heads/buffer', 'refs/gitswarm').stdout).toBe('');
  expect(await joining.ask(['status'], { exit: 3 })).toMatchObject({ code: 'not_initialised' });

  const alone = clone('alone');
  git.gitIn(alone.dir, 'remote', 'remove', 'origin');
  expect(await alone.ask(connect, { exit: 5 })).toMatchObject({ details: { remote: null } });

  // By a link it has another name, and holds what has landed.
  const linked = join(git.top, 'linked.git');
  symlinkSync(remote, linked);
  git.gitIn(joining.dir, 'remote', 'set-url', 'origin', linked);
  expect(await joining.ask(connect)).toMatchObject({ registered: false });
  await two.ask(['sync']);
  expect(joining.oid('buffer')).toBe(two.oid('buffer'));
});

it('where the remote has no buffer of the repository, nothing joins by name', async () => {
  const { machine, clone, git, line, keys } = await startFleet();
  await machine('first', keys.olga);
  const other = join(git.top, 'other.git');
  git.gitIn(git.top, 'init', '--quiet', '--bare', other);
  const joining = clone('joining');
  git.gitIn(joining.dir, 'remote', 'set-url', 'origin', other);
  const connect = ['connect', '--server', line.url, '--token', keys.reviewer, '--repo', 'first'];
  expect(await joining.ask(connect, { exit: 5 })).toMatchObject({ code: 'conflict' });
});

it('doctor calls it a problem where the remote lacks what has landed', async () => {
  const { one, two, ready, coder, git, remote } = await reviewedMachines();
  const fork = join(git.top, 'fork.git');
  git.gitIn(git.top, 'clone', '--quiet', '--bare', remote, fork);
  await one.ask(['merge', (await ready(one, 'cache')).id], coder);
  expect(await two.ask(['doctor'])).toMatchObject({ remaining: 0 });
  git.gitIn(two.dir, 'update-ref', '-d', 'refs/gitswarm/shared/heads/buffer');
  git.gitIn(two.dir, 'remote', 'set-url', 'origin', fork);
  const told = await two.ask(['doctor'], { exit: 6 });
  const buffer = told.findings.find((each: { check: string }) => each.check === 'buffer');
  expect(buffer).toMatchObject({ level: 'problem', text: expect.stringContaining('lacks 1 landings') });
});

it('two clones that connect at the same moment are of one repository', async () => {
  const { clone, line, keys, server } = await startFleet();
  const [one, two] = [clone('one'), clone('two')];
  const connect = ['connect', '--server', line.url, '--token'];
  const [made, joined] = await Promise.all([
    one.ask([...connect, keys.olga]),
    two.ask([...connect, keys.reviewer]),
  ]);
  expect(made.repo.id).toBe(joined.repo.id);
  expect([made.registered, joined.registered].sort()).toEqual([false, true]);
  expect((await server.ask('GET /repos', { as: keys.olga })).items).toHaveLength(1);
});

it('whoever joins has no untracked settings in the way of those that come, and an edit in the way is remarked on', async () => {
  const { machine, git, remote, keys, clone } = await startFleet();
  await machine('first', keys.olga);
  const joined = await machine('joined', keys.olga);
  expect(git.gitIn(joined.dir, 'status', '--porcelain')).toBe('');
  const pushed = clone('by hand');
  const files = { '.gitswarm/config.yml': 'merge_mode: review\n', 'a.txt': 'by hand\n' };
  git.commit('settings', files, pushed.dir);
  git.gitIn(pushed.dir, 'push', '--quiet', 'origin', 'main');
  await joined.ask(['sync']);
  expect(joined.oid('main')).toBe(git.oid('main', remote));

  git.commit('more', { 'a.txt': 'more\n' }, pushed.dir);
  git.gitIn(pushed.dir, 'push', '--quiet', 'origin', 'main');
  git.write({ 'a.txt': 'an edit\n' }, joined.dir);
  const { exit, stderr, stdout } = await joined.run(['sync', '--json']);
  expect(exit, stderr).toBe(0);
  expect(stderr).toContain('main');
  expect(JSON.parse(stdout).data).toMatchObject({ target: { moved: false }, server: { rejected: 0 } });
});

it.each([
  ['{}', 200],
  ['{"error":{"code":"not_found","message":"no such page"}}', 404],
  ['[1]', 200],
])('what answers %s (%s) is told to be no server of ours', async (body, status) => {
  const proxy = await makeFaultyProxy('http://127.0.0.1:9');
  proxy.fault = { answers: { status, body, headers: { 'content-type': 'application/json' } } };
  const git = gitFixture({ branch: 'main' });
  git.commit('begin', { 'a.txt': '1\n' });
  const machine = new MachineForTests(git, git.dir);
  const told = await machine.ask(['connect', '--server', proxy.url, '--token', 'gsw_x'], { exit: 2 });
  expect(told).toMatchObject({
    code: 'not_configured',
    message: expect.stringContaining('no GitSwarm server'),
  });
  expect(told.fix).toContain('address');
});
