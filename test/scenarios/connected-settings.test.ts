import { expect, it } from 'vitest';
import { reviewedMachines, twoMachines } from '../support/connected.ts';

it('only a clone that has what the remote has tells the server of settings', async () => {
  const { one, two, coder, keys, git, remote, line } = await reviewedMachines();
  const mode = async () => (await one.ask(['config', 'get', 'merge_mode'])).value;
  const before = git.oid('buffer', remote);
  const { path } = await one.work('rules', { 'a.txt': 'rules\n' }, coder);
  git.write(
    { '.gitswarm/config.yml': 'merge_mode: gated\nbuffer_branch: buffer\npromote_target: main\n' },
    path,
  );
  await one.ask(['commit', '-m', 'rules'], { ...coder, cwd: path });
  await one.ask(['review', 'submit', 'rules'], coder);
  await two.ask(['diff', 'rules', '--stat']);
  await two.ask(['review', 'approve', 'rules']);
  await one.ask(['merge', 'rules']);
  expect(await mode()).toBe('gated');

  // A clone whose buffer is an older one: without a look at the remote it tells nothing, in whichever way it is asked.
  git.gitIn(two.dir, 'update-ref', 'refs/heads/buffer', before);
  git.gitIn(two.dir, 'update-ref', 'refs/gitswarm/shared/heads/buffer', before);
  expect((await two.ask(['sync', '--no-fetch'])).server).toMatchObject({ settings: 'behind' });
  expect(await mode()).toBe('gated');
  git.gitIn(two.dir, 'remote', 'set-url', 'origin', '/nonexistent/remote.git');
  const again = ['connect', '--server', line.url, '--token', keys.reviewer];
  expect((await two.ask(again)).sync).toMatchObject({ settings: 'behind' });
  expect(await mode()).toBe('gated');
  git.gitIn(two.dir, 'remote', 'set-url', 'origin', remote);
  expect((await two.ask(['sync'])).server).toMatchObject({ settings: 'same' });
  expect(two.oid('buffer')).toBe(git.oid('buffer', remote));
  expect(await mode()).toBe('gated');
});

it('a key that is rotated in a clone goes on working there, and is told where another one is used', async () => {
  const { one, keys, line } = await twoMachines();
  const { apiKey, saved } = await one.ask(['agent', 'rotate-key', 'Olga']);
  expect(saved).toBe(true);
  expect(await one.ask(['status'])).toMatchObject({ authority: 'server' });
  const coder = await one.run(['agent', 'rotate-key', 'coder'], { key: keys.coder });
  expect(coder.exit).toBe(0);
  expect(coder.stdout).toMatch(new RegExp(`gitswarm connect --server ${line.url} --token gsw_`));
  // The key of the clone is still its own.
  expect(await one.ask(['status'])).toMatchObject({ authority: 'server' });
  expect(apiKey).not.toBe(keys.olga);
});

it('branches that merely lag behind the remote raise no alarm', async () => {
  const { one, two, ready, coder, git, remote } = await reviewedMachines();
  await one.ask(['merge', (await ready(one, 'cache')).id], coder);
  await one.ask(['promote']);
  await two.ask(['sync']);
  for (const branch of ['main', 'buffer']) {
    const begin = git.oid(`${branch}~1`, two.dir);
    git.gitIn(
      two.dir,
      ...(branch === 'main' ? ['reset', '--hard', begin] : ['update-ref', 'refs/heads/buffer', begin]),
    );
  }
  expect((await two.ask(['status'])).moved).toEqual(['behind: gitswarm sync']);
  await two.ask(['sync']);
  expect((await two.ask(['status'])).moved).toEqual([]);
  expect(two.oid('main')).toBe(git.oid('main', remote));
});
