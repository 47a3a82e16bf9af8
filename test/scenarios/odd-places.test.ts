import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { initApp } from '../../src/app/init-app.ts';
import { registerAgent } from '../../src/contract/agents.ts';
import { createWorkspace } from '../../src/workflows/create-workspace.ts';
import { diffStream } from '../../src/workflows/diff-stream.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { revertStream } from '../../src/workflows/revert-stream.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { trackBranch } from '../../src/workflows/track-branch.ts';
import { GitFixture } from '../support/git-fixture.ts';
import {
  refusal,
  runProgram,
  type Story,
  type StoryOptions,
  signAs,
  startStory,
  type Work,
} from '../support/story.ts';

/** From a workspace to the target, as the owner: the shortest whole way. */
async function expectWholeWay(
  story: Story,
  files: Record<string, string> = { 'new.txt': 'n\n' },
): Promise<Work> {
  const work = await story.stream('Olga', files);
  expect((await story.merge('Olga', work)).kind).toBe('merged');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.oid(await target(story))).toBe(story.oid('buffer'));
  for (const [path, text] of Object.entries(files)) expect(story.file(await target(story), path)).toBe(text);
  return work;
}

function target(story: Story): Promise<string> {
  return story.run(null, async ({ repo }) => repo.promoteTarget);
}

function addSubmodule(git: GitFixture, dir: string): void {
  const other = join(git.top, 'other');
  mkdirSync(other);
  git.gitIn(other, 'init', '--quiet', '--initial-branch=main');
  git.commit('library', { 'lib.txt': 'l\n' }, other);
  git.gitIn(dir, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other, 'lib');
}

const places: { name: string; options: StoryOptions }[] = [
  { name: 'a default branch called trunk', options: { branch: 'trunk' } },
  {
    name: 'a path with a blank, quotes, a dollar and an umlaut',
    options: { folder: `-o dd/my "repö" 'n $(touch oops)` },
  },
  {
    name: 'file names with blanks, quotes, line breaks, umlauts and leading dashes',
    options: {
      files: {
        '-a.txt': 'a\n',
        'ünd "so" \'weiter\'\n$HOME.txt': 'b\n',
        '--force': 'c\n',
        ':(glob)*': 'd\n',
      },
    },
  },
  {
    name: 'a repository with a submodule and symbolic links',
    options: {
      make: (git, dir) => {
        signAs(git, dir, 'Olga');
        git.write({ 'a.txt': 'a\n' }, dir);
        symlinkSync('a.txt', join(dir, 'link'));
        symlinkSync('/nonexistent', join(dir, 'dangling'));
        addSubmodule(git, dir);
        git.commit('begin', {}, dir);
      },
    },
  },
];

it.each(places)('works in $name', async ({ options }) => {
  const story = await startStory(options);
  const before = story.status().filter((line) => !line.includes('.gitswarm'));
  await expectWholeWay(story, { 'new.txt': 'n\n', '-dash ünd "quote"\n.txt': 'odd\n' });
  expect(story.status().filter((line) => !line.includes('.gitswarm'))).toEqual(before);
  expect(existsSync(join(story.dir, 'oops'))).toBe(false);
});

it('symbolic links come into a workspace as links, and a submodule as what it is', async () => {
  const { options } = places.find(({ name }) => name.includes('submodule')) ?? { options: {} };
  const story = await startStory(options);
  const work = await story.stream('coder', { 'new.txt': 'n\n' });
  expect(readlinkSync(join(work.path, 'link'))).toBe('a.txt');
  expect(lstatSync(join(work.path, 'dangling')).isSymbolicLink()).toBe(true);
  expect(story.status(work.path)).toEqual([]);
  expect(story.git.gitIn(work.path, 'ls-tree', 'HEAD', 'lib')).toContain('160000 commit');
});

it('works in a sha256 repository', async () => {
  const story = await startStory({
    folder: 'sha256',
    make: (fixture, dir) => {
      mkdirSync(dir);
      fixture.gitIn(dir, 'init', '--quiet', '--initial-branch=main', '--object-format=sha256');
      signAs(fixture, dir, 'Olga');
      fixture.commit('begin', { 'a.txt': 'a\n' }, dir);
    },
  });
  expect(story.oid('main')).toHaveLength(64);
  await expectWholeWay(story);
});

it('works in a bare repository', async () => {
  const story = await startStory({
    folder: 'bare.git',
    make: (git, dir) => {
      git.commit('begin', { 'a.txt': 'a\n' });
      git.git('branch', '-m', 'main');
      git.git('clone', '--quiet', '--bare', git.dir, dir);
      signAs(git, dir, 'Olga');
    },
  });
  const work = await expectWholeWay(story);
  expect(work.path.startsWith(join(story.dir, 'gitswarm', 'worktrees'))).toBe(true);
});

it('works where git knows nobody: no name, no address, no configuration', async () => {
  const story = await startStory({ make: (git, dir) => void git.commit('begin', { 'a.txt': 'a\n' }, dir) });
  await expectWholeWay(story);
  expect(story.git.git('log', '-1', '--format=%cn', 'buffer')).toBe('GitSwarm');
});

it('finds its repository from a subfolder and from a linked worktree', async () => {
  const story = await startStory();
  const linked = join(story.git.top, 'linked');
  story.git.git('worktree', 'add', '--quiet', '--detach', linked);
  const id = await story.repoId();
  for (const dir of [join(story.dir, 'sub'), linked, join(linked, 'sub')]) {
    expect(await story.run('Olga', async ({ repo }) => repo.id, { dir })).toBe(id);
    const made = await story.run('Olga', (workflow) => createWorkspace(workflow, {}), { dir });
    expect(made.path.startsWith(join(story.dir, '.worktrees'))).toBe(true);
  }
});

it('adds nothing that `git add -A` would take, but the settings file that is meant to be committed', async () => {
  const story = await startStory();
  await story.stream('coder', { 'new.txt': 'n\n' });
  story.git.git('add', '--all');
  expect(story.git.git('diff', '--cached', '--name-only')).toBe('.gitswarm/config.yml');
});

it('names of agents may hold anything a person would write', async () => {
  const story = await startStory({ agents: [] });
  const { agent } = await story.ask(registerAgent, { name: `Zoë "Z" O'Neil $(id)` });
  const work = await story.stream(agent.name, { 'new.txt': 'n\n' });
  expect(story.git.git('log', '-1', '--format=%an', work.branch)).toBe(agent.name);
  expect(work.path).toMatch(/\/\.worktrees\/[a-z0-9-]+$/);
  await story.land(work, { author: agent.name, judge: 'Olga' });
});

it('the command that leads back to the branch can be pasted, wherever the repository is', async () => {
  const story = await startStory({ folder: `my "repö" 'n $(touch oops)` });
  const work = await story.stream('coder', { 'new.txt': 'n\n' });
  story.git.gitIn(work.path, 'switch', '--quiet', '--detach');
  const error = await refusal(story.commit('coder', work, { 'more.txt': 'm\n' }));
  expect(error.code).toBe('wrong_branch');
  expect(runProgram(['sh', '-c', error.fix ?? 'false'], story.git.top)).toMatchObject({ code: 0 });
  await story.commit('coder', work, { 'more.txt': 'm\n' });
});

function installHook(story: Story, name: string, script: string): void {
  const file = join(story.dir, '.git/hooks', name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

it('a hook that refuses keeps the commit from being made, says why, and loses nothing', async () => {
  const story = await startStory();
  const work = await story.workspace('coder');
  installHook(story, 'pre-commit', 'echo "no tabs, please"; test ! -f refused.txt');
  const error = await refusal(story.commit('coder', work, { 'refused.txt': 'r\n' }));
  expect(error).toMatchObject({
    code: 'command_failed',
    message: expect.stringContaining('no tabs, please'),
  });
  expect(story.status(work.path).map((line) => line.slice(3))).toEqual(['refused.txt']);
  story.git.write({ 'refused.txt': undefined, 'fine.txt': 'f\n' }, work.path);
  await story.commit('coder', work, {}, 'fine');
  expect(story.git.gitIn(work.path, 'show', '--name-only', '--format=')).toBe('fine.txt');
});

it('no hook runs for our own steps, so none can hinder or see them', async () => {
  const story = await startStory();
  const root = await story.stream('coder', { 'root.txt': '1\n' });
  const fork = await story.stream('bob', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  await story.commit('coder', root, { 'root.txt': '2\n' });
  const ran = join(story.git.top, 'ran');
  for (const name of [
    ...['pre-commit', 'commit-msg', 'prepare-commit-msg', 'post-commit', 'pre-merge-commit', 'post-merge'],
    ...[
      'post-checkout',
      'pre-rebase',
      'post-rewrite',
      'reference-transaction',
      'post-index-change',
      'pre-auto-gc',
    ],
  ]) {
    installHook(story, name, `echo ${name} >> '${ran}'; exit 1`);
  }
  expect((await story.land(root, { author: 'coder', judge: 'Olga' })).kind).toBe('merged');
  const { kind } = await story.run('bob', (workflow) => syncStream(workflow, fork.id));
  expect(kind).toBe('moved');
  await story.workspace('coder');
  expect(await story.promote()).toMatchObject({ promoted: true });
  await story.run('Olga', (workflow) => revertStream(workflow, root.id));
  expect(existsSync(ran)).toBe(false);
});

it('a file of 100 MB is committed, landed and promoted', async () => {
  const story = await startStory();
  const work = await story.workspace('Olga');
  const file = join(work.path, 'huge.bin');
  writeFileSync(file, '');
  truncateSync(file, 100 * 1024 * 1024);
  await story.commit('Olga', work, {}, 'huge');
  expect((await story.merge('Olga', work)).kind).toBe('merged');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(lstatSync(join(story.dir, 'huge.bin')).size).toBe(100 * 1024 * 1024);
});

it('unknown names are refused with what would have been near, and never taken as options of git', async () => {
  const story = await startStory();
  await story.stream('coder', { 'new.txt': 'n\n' });
  for (const name of [
    '--help',
    '--git-dir',
    '-',
    '$(touch oops)',
    '../../etc',
    'HEAD',
    's-zzzz',
    '"',
    'no such',
    '',
  ]) {
    const asked = refusal(story.merge('Olga', { id: name, path: '', branch: '' }));
    expect((await asked).code, name).toMatch(/^(not_found|invalid|ambiguous)$/);
  }
  for (const base of ['--help', '-x', '--output=oops', 'nowhere', ':/begin^{/', '@{u}']) {
    const code = (await refusal(story.workspace('coder', { base }))).code;
    expect(code, base).toMatch(/^(not_found|invalid)$/);
  }
  for (const branch of ['--help', '-D', 'a..b', 'nowhere', 'main', 'buffer']) {
    const code = (await refusal(story.run('Olga', (workflow) => trackBranch(workflow, { branch })))).code;
    expect(code, branch).toMatch(/^(not_found|invalid|conflict)$/);
  }
  expect(existsSync(join(story.dir, 'oops'))).toBe(false);
  const { remaining } = await story.run('Olga', (workflow) => examine(workflow, { fix: false }));
  expect(remaining).toBe(0);
});

it('a branch that somebody made by hand is tracked, landed, forked and rebased like any other', async () => {
  const story = await startStory();
  const path = join(story.git.top, 'by hand');
  story.git.git('worktree', 'add', '--quiet', '-b', 'feature/by-hand', path);
  story.git.commit('by hand', { 'hand.txt': 'h\n' }, path);
  const { stream } = await story.run('Olga', (workflow) =>
    trackBranch(workflow, { branch: 'feature/by-hand' }),
  );
  const work = { id: stream.id, path, branch: stream.branch };
  const fork = await story.stream('coder', { 'fork.txt': 'f\n' }, { dependsOn: stream.id });
  const { cascade } = await story.commit('Olga', work, { 'hand.txt': 'h2\n' });
  expect(cascade?.rebased).toEqual([fork.id]);
  expect((await story.merge('Olga', work)).kind).toBe('merged');
  await story.land(fork, { author: 'coder', judge: 'Olga' });
  expect([story.file('buffer', 'hand.txt'), story.file('buffer', 'fork.txt')]).toEqual(['h2\n', 'f\n']);
  expect(story.oid('feature/by-hand')).toBe(story.git.oid('HEAD', path));
});

it('names in another alphabet, with quotes and line breaks, come back as they are', async () => {
  const story = await startStory();
  const name = 'naïve "x"\n日本.txt';
  const work = await story.workspace('coder');
  const made = await story.commit('coder', work, { [name]: '1\n', 'z.txt': 'z\n' });
  expect(made.files).toEqual([name, 'z.txt'].sort());
  const diff = await story.run('Olga', (workflow) =>
    diffStream(workflow, { stream: work.id, remember: false, withPatch: false }),
  );
  expect(diff.stat.perFile.map((file) => file.path).sort()).toEqual([name, 'z.txt'].sort());
  const other = await story.workspace('bob');
  const clash = await story.commit('bob', other, { [name]: '2\n' });
  expect(clash.conflictsWith).toMatchObject([{ streamId: work.id, files: [name] }]);
});

it('refuses with words what cannot work: no commit yet, a detached HEAD, no repository', async () => {
  const git = new GitFixture({ branch: 'main' });
  const environment = (await startStory()).environment;
  try {
    const init = (dir: string) => refusal(initApp({ dir, environment, request: { owner: 'Olga' } }));
    expect(await init(git.dir)).toMatchObject({ code: 'unborn_branch', fix: expect.any(String) });
    git.commit('begin', { 'a.txt': 'a\n' });
    git.git('switch', '--quiet', '--detach');
    expect(await init(git.dir)).toMatchObject({ code: 'usage', fix: expect.stringContaining('--target') });
    expect(await init(git.top)).toMatchObject({ code: 'not_a_repository' });
    expect(existsSync(join(git.dir, '.gitswarm'))).toBe(false);
  } finally {
    await git.remove();
  }
});
