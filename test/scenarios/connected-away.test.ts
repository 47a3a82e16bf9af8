import { expect, it } from 'vitest';
import { twoMachines } from '../support/connected.ts';
import { until } from '../support/process-fixture.ts';
import { callCli } from '../support/swarm-story.ts';

it('while the server is away work goes on and nothing is decided; back again it lands once', async () => {
  const { one, two, keys, git, remote, line } = await twoMachines();
  const as = { key: keys.coder };
  const { stream, path } = await one.ask(['workspace', 'create', '--name', 'cache'], as);
  git.write({ 'cache.txt': '1\n' }, path);
  await one.ask(['commit', '-m', 'first'], { ...as, cwd: path });
  await one.ask(['review', 'submit', '.'], { ...as, cwd: path });
  await two.ask(['diff', 'cache']);
  await one.ask(['sync'], as);
  await two.ask(['sync']);

  line.cut();
  const before = git.oid('buffer', remote);
  const judged = await two.ask(['review', 'approve', 'cache'], { exit: 7 });
  expect(judged).toMatchObject({ kind: 'queued', kept: 1, outbox: { operation: 'review.submit' } });
  expect(await one.ask(['merge', '.'], { ...as, cwd: path, exit: 7 })).toMatchObject({ kind: 'queued' });
  for (let again = 0; again < 2; again++) await one.ask(['status'], as);
  git.write({ 'other.txt': '2\n' }, path);
  const other = await one.ask(['workspace', 'create', '--name', 'later'], as);
  git.write({ 'later.txt': '3\n' }, other.path);
  const later = await one.ask(['commit', '-m', 'later'], { ...as, cwd: other.path });
  expect(later).toMatchObject({ streamId: other.stream.id, merged: false });
  expect(await one.ask(['review', 'submit', '.'], { ...as, cwd: other.path, exit: 7 })).toMatchObject({
    consensus: null,
  });
  for (const asked of [['agent', 'register', 'x'], ['review', 'check', 'cache'], ['queue', 'list'], ['log']])
    expect(await one.ask(asked, { exit: 7 })).toMatchObject({
      code: 'unavailable',
      fix: expect.stringContaining('Nothing was kept'),
      details: { kept: null },
    });
  expect(git.oid('buffer', remote)).toBe(before);
  const waiting = await one.ask(['sync', 'status']);
  expect(waiting.entries.map((each: { operation: string }) => each.operation)).toEqual([
    'merge.request',
    'stream.create',
    'stream.record_head',
    'stream.submit',
  ]);

  line.mend();
  expect(await two.ask(['sync', 'flush'])).toMatchObject({ ok: 1, rejected: 0, remaining: 0 });
  const synced = await one.ask(['sync'], as);
  expect(synced.server).toMatchObject({ ok: 4, rejected: 0, remaining: 0, landed: [stream.handle] });
  expect(git.oid('buffer', remote)).toBe(one.oid('buffer'));
  expect(git.gitIn(remote, 'log', '--format=%s', '--first-parent', 'buffer').split('\n')).toEqual([
    'Merge cache',
    'begin',
  ]);
  expect(git.oid(`stream/${other.stream.id}`, remote)).toBe(later.commit);
  expect(await one.ask(['sync', 'flush'])).toMatchObject({ sent: 0 });
});

it('an owner forces a landing while the server is away, and is recorded for it afterwards', async () => {
  const { one, two, keys, git, remote, line, server } = await twoMachines();
  const as = { key: keys.coder };
  const work = await one.work('urgent', { 'urgent.txt': '1\n' }, as);
  await one.ask(['sync']);
  line.cut();
  const forced = ['merge', 'urgent', '--force', '--reason', 'the site is down'];
  const landed = await one.ask(forced, { exit: 0 });
  expect(landed).toMatchObject({ kind: 'merged' });
  expect(git.oid('buffer', remote)).toBe(landed.bufferAfter);
  line.mend();
  expect((await one.ask(['sync'])).server).toMatchObject({ rejected: 0, remaining: 0 });
  expect(await two.ask(['stream', 'show', 'urgent'])).toMatchObject({ state: 'merged' });
  const merges = await server.ask(`GET /streams/${work.id}`, { as: keys.olga });
  expect(merges).toMatchObject({ mergedCommit: landed.bufferAfter });
  await two.ask(['sync']);
  expect(two.oid('buffer')).toBe(landed.bufferAfter);
});

it('an owner who dies between the landing and telling of it has landed once', async () => {
  const { one, two, keys, git, remote, line } = await twoMachines();
  const work = await one.work('urgent', { 'urgent.txt': '1\n' }, { key: keys.coder });
  await one.ask(['sync']);
  line.cut();
  await one.crash(['merge', 'urgent', '--force', '--reason', 'the site is down'], 'force.moved');
  const landed = git.oid('buffer', remote);
  expect(git.gitIn(remote, 'log', '-1', '--format=%s', 'buffer')).toBe('Merge urgent');
  line.mend();
  expect((await one.ask(['sync'])).server).toMatchObject({ rejected: 0, remaining: 0 });
  expect(git.oid('buffer', remote)).toBe(landed);
  expect(await two.ask(['stream', 'show', work.id])).toMatchObject({ state: 'merged', mergedCommit: landed });
  const told = await two.ask(['log', '--type', 'merge.landed']);
  expect(told.filter((each: { data: { streamId: string } }) => each.data.streamId === work.id)).toHaveLength(
    1,
  );
});

it('a landing that could not be forced while the server was away is not landed later', async () => {
  const { one, keys, git, remote, line } = await twoMachines();
  await one.work('urgent', { 'urgent.txt': '1\n' }, { key: keys.coder });
  await one.ask(['sync']);
  const before = git.oid('buffer', remote);
  line.cut();
  git.gitIn(one.dir, 'remote', 'set-url', 'origin', '/nonexistent/remote.git');
  const forced = ['merge', 'urgent', '--force', '--reason', 'the site is down'];
  expect(await one.ask(forced, { exit: 7 })).toMatchObject({ code: 'unavailable' });
  expect((await one.ask(['sync', 'status'])).entries).toEqual([]);
  line.mend();
  git.gitIn(one.dir, 'remote', 'set-url', 'origin', remote);
  expect((await one.ask(['sync'])).server).toMatchObject({ ok: 0, landed: [] });
  expect(git.oid('buffer', remote)).toBe(before);
});

it('whoever follows the log or watches the state goes on after the server was away', async () => {
  const { one, line } = await twoMachines();
  const calls = {
    log: callCli(one.dir, ['log', '--follow']),
    status: callCli(one.dir, ['status', '--watch']),
  };
  await until('both are shown', () => /maintainer\.added/.test(calls.log.printed()));
  await until('the server is shown', () => calls.status.printed().includes(`server   ${line.url}`));
  line.cut();
  for (const [name, call] of Object.entries(calls))
    await until(`${name} says that it is away`, () => call.printed().includes('is away'));
  line.mend();
  await one.ask(['task', 'create', 'after the pause']);
  await until('the log goes on', () => calls.log.printed().includes('after the pause'));
  await until('the state goes on', () => calls.status.printed().includes('1 ready'));
  for (const call of Object.values(calls)) {
    call.interrupt();
    expect((await call.done).exit).toBe(130);
    expect(call.printed().match(/is away/g)).toHaveLength(1);
  }
});
