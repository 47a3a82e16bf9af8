import { expect, it } from 'vitest';
import { startFleet, twoMachines } from '../support/connected.ts';

it('two machines take a task from the server to the promoted main of the remote', async () => {
  const { one, two, keys, git, remote, server } = await twoMachines();
  await one.ask(['config', 'set', 'stabilize_command', 'test -f src/cache.ts']);
  await one.ask(['config', 'set', 'test_before_merge', 'false']);
  const task = await one.ask(['task', 'create', 'Cache', '--priority', 'high']);

  const as = { key: keys.coder };
  const [found] = await one.ask(['task', 'list', '--ready'], as);
  expect(found).toMatchObject({ id: task.id, title: 'Cache' });
  await one.ask(['task', 'claim', task.handle], as);
  const { stream, path } = await one.ask(['workspace', 'create', '--task', task.handle], as);
  git.write({ 'src/cache.ts': 'cache\n' }, path);
  const committed = await one.ask(['commit', '-m', 'Add a cache'], { ...as, cwd: path });
  expect(committed).toMatchObject({ streamId: stream.id, files: ['src/cache.ts'], merged: false });
  expect(git.oid(stream.branch, remote)).toBe(committed.commit);
  await one.ask(['review', 'submit', '.'], { ...as, cwd: path });
  expect(await one.ask(['merge', '.'], { ...as, cwd: path, exit: 6 })).toMatchObject({
    code: 'gate_not_met',
  });

  // The other machine has never seen it: it is fetched to be read, and judged as it was read.
  const { patch, files } = await two.ask(['diff', stream.handle]);
  expect(JSON.stringify(patch ?? files)).toContain('src/cache.ts');
  const judged = await two.ask(['review', 'submit', stream.handle, 'approve', '--tested']);
  expect(judged).toMatchObject({
    review: { head: committed.commit, tested: true },
    consensus: { reached: true },
  });

  const landed = await one.ask(['merge', '.'], { ...as, cwd: path });
  expect(landed).toMatchObject({ kind: 'merged' });
  expect(git.oid('buffer', remote)).toBe(landed.bufferAfter);
  const green = await one.ask(['stabilize']);
  expect(green).toMatchObject({ result: 'green', commit: landed.bufferAfter });
  expect(git.oid(`${green.tag}^{commit}`, remote)).toBe(landed.bufferAfter);
  expect(await one.ask(['promote'])).toMatchObject({ promoted: true, untested: false });
  expect(git.oid('main', remote)).toBe(landed.bufferAfter);

  await two.ask(['sync']);
  expect([two.oid('main'), two.oid('buffer')]).toEqual([landed.bufferAfter, landed.bufferAfter]);
  expect(git.gitIn(two.dir, 'status', '--porcelain', '--', ':!.gitswarm')).toBe('');
  const known = await server.ask(`GET /tasks/${task.id}`, { as: keys.coder });
  expect(known).toMatchObject({ status: 'completed' });
});

it('a clone joins by its remote, works for others, and never decides by itself', async () => {
  const { keys, clone, machine, line, git, remote } = await startFleet();
  const first = await machine('first', keys.olga);
  await first.ask(['repo', 'maintainer', 'add', 'reviewer']);
  const work = await first.work('one', { 'one.txt': '1\n' }, { key: keys.coder });
  await first.ask(['review', 'submit', work.id], { key: keys.coder });

  const joined = clone('a folder of another name');
  const connect = ['connect', '--server', line.url, '--token'];
  expect(await joined.ask([...connect, 'gsw_wrong'], { exit: 4 })).toMatchObject({ code: 'unauthenticated' });
  expect(await joined.ask([...connect, keys.reviewer])).toMatchObject({
    registered: false,
    remote: 'origin',
  });
  expect(await joined.ask(['init', '--name', 'another'])).toMatchObject({
    created: false,
    repo: { name: 'first' },
  });
  const refused = await joined.ask(['status', '--as', 'Olga'], { exit: 4 });
  expect(refused).toMatchObject({
    message: expect.stringContaining('Olga'),
    fix: expect.stringContaining('GITSWARM_TOKEN'),
  });
  await joined.ask(['diff', 'one']);
  await joined.ask(['review', 'approve', 'one']);
  const landed = await joined.ask(['merge', 'one']);
  expect(git.oid('buffer', remote)).toBe(landed.bufferAfter);

  await joined.ask(['uninit']);
  expect(await joined.ask(['status'], { exit: 3 })).toMatchObject({ code: 'not_initialised' });
  expect(await joined.ask([...connect, keys.reviewer])).toMatchObject({ registered: false });
  await joined.ask(['disconnect']);
  expect(await joined.ask(['init'], { exit: 2 })).toMatchObject({ code: 'not_configured' });
  expect(await joined.ask([...connect, keys.reviewer])).toMatchObject({ registered: false });
  expect(await joined.ask(['stream', 'show', 'one'])).toMatchObject({ state: 'merged' });
});
