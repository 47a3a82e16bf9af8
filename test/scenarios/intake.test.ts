import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listMerges } from '../../src/contract/merges.ts';
import { listTasks } from '../../src/contract/tasks.ts';
import { fastForwardTarget } from '../../src/workflows/fast-forward-target.ts';
import { intake } from '../../src/workflows/plain-landings.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { refusal, startStory } from '../support/story.ts';

it('a commit made on main by hand is taken into the buffer at the next landing, and promotion goes on', async () => {
  const story = await startStory({ agents: ['coder'] });
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  const hotfix = story.git.commit('Hotfix', { 'hotfix.txt': 'h\n' });
  const { moved } = await story.run('Olga', (workflow) => reportStatus(workflow));
  expect(moved).toEqual([expect.stringContaining('main holds 1 commits the buffer lacks')]);
  await story.land(work, { author: 'coder', judge: 'Olga' });
  expect(story.git.git('merge-base', '--is-ancestor', hotfix, 'buffer')).toBe('');
  expect(story.file('buffer', 'hotfix.txt')).toBe('h\n');
  const { items } = await story.ask(listMerges, { repoId: await story.repoId() });
  expect(items.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
    'intake landed',
    'stream landed',
  ]);
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
  expect(story.status()).toEqual([]);
});

it('a settings file committed on main is in force as soon as it is on the buffer, and not before', async () => {
  const story = await startStory({ agents: ['coder'] });
  const mode = () => story.run(null, async ({ repo }) => [repo.mergeMode, repo.configSource]);
  story.git.commit('Settings', { '.gitswarm/config.yml': 'merge_mode: swarm\nmin_reviews: 3\n' });
  expect(await mode()).toEqual(['review', 'copy']);
  await story.run('Olga', (workflow) => intake(workflow));
  expect(await mode()).toEqual(['swarm', 'file']);
  expect(await story.run(null, async ({ repo }) => repo.config.min_reviews)).toBe(3);
  // What lies in a working copy decides nothing.
  story.git.write({ '.gitswarm/config.yml': 'merge_mode: gated\n' });
  expect(await mode()).toEqual(['swarm', 'file']);
});

it('settings in JSON are read where there are none in YAML', async () => {
  const story = await startStory({ agents: ['coder'] });
  const reviews = () => story.run(null, async ({ repo }) => [repo.config.min_reviews, repo.configSource]);
  rmSync(join(story.git.dir, '.gitswarm/config.yml'), { force: true });
  story.git.commit('Settings', { '.gitswarm/config.json': '{"min_reviews": 4}\n' });
  await story.run('Olga', (workflow) => intake(workflow));
  expect(await reviews()).toEqual([4, 'file']);
  story.git.commit('In YAML', { '.gitswarm/config.yml': 'min_reviews: 2\n' });
  await story.run('Olga', (workflow) => intake(workflow));
  expect(await reviews()).toEqual([2, 'file']);
});

it('a stream cannot set its own threshold: settings are judged by the old rules, in swarm mode too', async () => {
  const story = await startStory({
    mode: 'swarm',
    model: 'guild',
    agents: ['coder', 'ann'],
    maintainers: ['ann'],
  });
  const sly = await story.workspace('coder');
  const made = await story.commit('coder', sly, {
    '.gitswarm/config.yml': 'merge_mode: swarm\nconsensus_threshold: 0.01\nmin_reviews: 0\n',
  });
  expect(made).toMatchObject({ merged: false, merge: { kind: 'refused', error: { code: 'gate_not_met' } } });
  expect(story.file('buffer', '.gitswarm/config.yml')).toBeUndefined();
  expect(await story.run(null, async ({ repo }) => repo.configSource)).toBe('copy');
});

it('what the remote has is fetched, moves main where it only has to follow, and is taken into the buffer', async () => {
  const story = await startStory({ agents: ['coder'] });
  const { git } = story;
  const remote = `${git.dir}-remote`;
  git.git('clone', '--quiet', '--bare', git.dir, remote);
  git.git('remote', 'add', 'origin', remote);
  git.git('fetch', '--quiet', 'origin');
  git.git('branch', '--quiet', '--set-upstream-to=origin/main', 'main');
  const other = `${git.dir}-other`;
  git.git('clone', '--quiet', remote, other);
  const theirs = git.commit('From elsewhere', { 'theirs.txt': 't\n' }, other);
  git.gitIn(other, 'push', '--quiet', 'origin', 'HEAD:main');
  git.git('fetch', '--quiet', 'origin');
  const moved = await story.run('Olga', (workflow) => fastForwardTarget(workflow));
  expect(moved).toEqual({ moved: true, commit: theirs, why: 'moved' });
  // The checkout moved along; only what `init` left to be committed is new there.
  expect(story.status()).toEqual(['?? .gitswarm/config.yml']);
  await story.run('Olga', (workflow) => intake(workflow));
  expect(story.file('buffer', 'theirs.txt')).toBe('t\n');
  expect(await story.run('Olga', (workflow) => fastForwardTarget(workflow))).toMatchObject({
    why: 'up to date',
  });
});

it('main that clashes with the buffer opens one task and holds up promotion only', async () => {
  const story = await startStory({ agents: ['coder', 'bob'] });
  await story.land(await story.stream('coder', { 'a.txt': 'buffer\n' }), { author: 'coder', judge: 'Olga' });
  const main = story.git.commit('Hotfix', { 'a.txt': 'hotfix\n' });
  expect(await refusal(story.promote())).toMatchObject({
    code: 'gate_not_met',
    message: expect.stringContaining('a.txt'),
  });
  expect(await refusal(story.promote())).toMatchObject({ code: 'gate_not_met' });
  expect(story.oid('main')).toBe(main);
  const repoId = await story.repoId();
  const tasks = (await story.ask(listTasks, { repoId, limit: 50 })).items;
  expect(tasks).toMatchObject([{ priority: 'critical', status: 'open' }]);
  // Everybody else goes on landing.
  await story.land(await story.stream('bob', { 'other.txt': 'o\n' }), { author: 'bob', judge: 'Olga' });
  expect(story.file('buffer', 'other.txt')).toBe('o\n');
  expect((await story.ask(listTasks, { repoId, limit: 50 })).items).toHaveLength(1);

  // Somebody merges main in a stream; from then on the promotion is free again.
  const mend = await story.workspace('bob', { task: tasks[0]?.id });
  story.git.tryGit(mend.path, 'merge', '--no-edit', 'main');
  story.git.write({ 'a.txt': 'both\n' }, mend.path);
  story.git.gitIn(mend.path, 'commit', '--all', '--no-edit');
  await story.land(mend, { author: 'bob', judge: 'Olga' });
  expect(story.file('buffer', 'a.txt')).toBe('both\n');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.file('main', 'a.txt')).toBe('both\n');
});
