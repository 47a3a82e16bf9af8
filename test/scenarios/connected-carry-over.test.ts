import { expect, it } from 'vitest';
import { startFleet, type Told } from '../support/connected.ts';

it('a repository that decided for itself takes its open work along, and never decides again', async () => {
  const { clone, line, keys, git, remote, server } = await startFleet();
  const one = clone('one');
  await one.ask(['init', '--owner', 'Olga', '--model', 'guild']);
  for (const name of ['coder', 'helper', 'reviewer'])
    await one.ask(['agent', 'register', name, '--as', 'Olga']);
  await one.ask(['repo', 'maintainer', 'add', 'reviewer', '--as', 'Olga']);
  await one.ask(['task', 'create', 'Later', '--as', 'Olga']);
  const work = async (name: string, agent: string) => {
    const { stream, path } = await one.ask(['workspace', 'create', '--name', name, '--as', agent]);
    git.write({ [`${name}.txt`]: `${name}\n` }, path);
    await one.ask(['commit', '-m', name], { cwd: path });
    return { ...stream, path };
  };
  const landed = await work('landed', 'coder');
  const open = await work('open', 'helper');
  await one.ask(['review', 'submit', landed.id, '--as', 'coder']);
  await one.ask(['diff', landed.id, '--as', 'reviewer']);
  await one.ask(['review', 'approve', landed.id, '--as', 'reviewer']);
  await one.ask(['merge', landed.id, '--as', 'coder']);
  await one.ask(['review', 'submit', open.id, '--as', 'helper']);

  const connect = ['connect', '--server', line.url, '--token', keys.olga];
  const made = await one.ask(connect);
  // Whose name is free at the server is registered there for us.
  expect(made).toMatchObject({
    registered: true,
    carriedOver: { tasks: 1, streams: 1 },
    sync: { rejected: 0, remaining: 0 },
  });
  expect(await one.ask(connect)).toMatchObject({ registered: false, carriedOver: { tasks: 0, streams: 0 } });
  expect((await one.ask(['task', 'list'])).map((each: Told) => each.title)).toEqual(['Later']);
  expect(git.oid('buffer', remote)).toBe(one.oid('buffer'));
  expect(git.oid(open.branch, remote)).toBe(one.oid(open.branch));
  const known = await server.ask(`GET /streams/${open.id}`, { as: keys.olga });
  expect(known).toMatchObject({ state: 'in_review', authorName: 'helper', head: one.oid(open.branch) });

  await one.ask(['repo', 'maintainer', 'add', 'reviewer']);
  git.write({ 'open.txt': 'better\n' }, open.path);
  await one.ask(['commit', '-m', 'better'], { cwd: open.path });
  const joined = clone('two');
  await joined.ask([...connect.slice(0, 4), keys.reviewer]);
  await joined.ask(['diff', open.id]);
  await joined.ask(['review', 'approve', open.id]);
  await joined.ask(['merge', open.id]);
  await one.ask(['sync']);
  const subjects = git.gitIn(remote, 'log', '--format=%s', '--first-parent', 'buffer').split('\n');
  expect(subjects).toEqual(['Merge open', 'Merge landed', 'begin']);
  expect(one.oid('buffer')).toBe(git.oid('buffer', remote));

  await one.ask(['disconnect']);
  expect(await one.ask(['status'], { exit: 2 })).toMatchObject({ code: 'not_configured' });
  expect(await one.ask(connect)).toMatchObject({ registered: false, carriedOver: { tasks: 0, streams: 0 } });
});
