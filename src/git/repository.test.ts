import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureEnv, gitFixture } from '../../test/support/git-fixture.ts';
import { gitEnv } from './git-env.ts';
import { requireGit } from './git-version.ts';
import { headOf } from './head.ts';
import { openRepository, requireHistory } from './repository.ts';
import { runGit } from './run-git.ts';

describe('opening a repository', () => {
  test('from the top, from a directory inside and through a symbolic link gives the same root', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { 'a/b.txt': 'b' });
    symlinkSync(fixture.dir, join(fixture.top, 'link'));
    for (const dir of [fixture.dir, join(fixture.dir, 'a'), join(fixture.top, 'link')]) {
      const repo = await fixture.open({ dir });
      expect(repo).toMatchObject({
        root: fixture.dir,
        worktreeDir: fixture.dir,
        isBare: false,
        isShallow: false,
      });
      expect(repo.commonDir).toBe(join(fixture.dir, '.git'));
      expect(await repo.version()).toMatch(/^\d+\.\d+/);
      expect(repo.objectFormat).toBe('sha1');
    }
  });

  test('from a linked worktree finds the first worktree as root', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1' });
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', '-b', 'other', linked);
    const repo = await fixture.open({ dir: linked });
    expect(repo).toMatchObject({ root: fixture.dir, worktreeDir: linked, isBare: false });
  });

  test('a bare repository is its own root, also seen from a worktree linked to it', async () => {
    const fixture = gitFixture({ bare: true });
    const bare = await fixture.open();
    expect(bare).toMatchObject({ root: fixture.dir, worktreeDir: undefined, isBare: true });
    const tree = fixture.git('hash-object', '-t', 'tree', '-w', '/dev/null');
    fixture.git('update-ref', 'refs/heads/trunk', fixture.git('commit-tree', '-m', 'first', tree));
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', linked, 'trunk');
    expect(await fixture.open({ dir: linked })).toMatchObject({
      root: fixture.dir,
      isBare: true,
      worktreeDir: linked,
    });
  });

  test('a submodule is its own root', async () => {
    const inner = gitFixture();
    inner.commit('inner', { a: '1' });
    const outer = gitFixture();
    outer.commit('outer', { b: '1' });
    outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.dir, 'sub');
    const repo = await outer.open({ dir: join(outer.dir, 'sub') });
    expect(repo.root).toBe(join(outer.dir, 'sub'));
    const linked = join(outer.top, 'linked');
    outer.gitIn(join(outer.dir, 'sub'), 'worktree', 'add', '--quiet', '--detach', linked);
    expect((await outer.open({ dir: linked })).root).toBe(join(outer.dir, 'sub'));
  });

  test('a shallow clone is recognised, and refused where history is needed', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1' });
    fixture.commit('second', { a: '2' });
    const clone = join(fixture.top, 'clone');
    fixture.git('clone', '--quiet', '--depth=1', `file://${fixture.dir}`, clone);
    const repo = await fixture.open({ dir: clone });
    expect(repo.isShallow).toBe(true);
    expect(() => requireHistory(repo)).toThrow(expect.objectContaining({ code: 'shallow_clone' }));
  });

  test('with sha256 ids works as well', async () => {
    const fixture = gitFixture();
    const dir = join(fixture.top, 'sha256');
    mkdirSync(dir);
    fixture.gitIn(dir, 'init', '--quiet', '--object-format=sha256');
    expect((await fixture.open({ dir })).objectFormat).toBe('sha256');
  });

  test('outside of any repository says so', async () => {
    const fixture = gitFixture();
    const attempt = openRepository(fixture.top, { inheritedEnv: fixtureEnv });
    await expect(attempt).rejects.toMatchObject({ code: 'not_a_repository' });
  });

  test('a directory that does not exist is not found', async () => {
    const fixture = gitFixture();
    const attempt = openRepository(join(fixture.top, 'none'), { inheritedEnv: fixtureEnv });
    await expect(attempt).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a repository git refuses to read is a failure of git, not a missing repository', async () => {
    const fixture = gitFixture();
    writeFileSync(join(fixture.dir, '.git', 'config'), '[core\nbroken');
    const attempt = openRepository(fixture.dir, { inheritedEnv: fixtureEnv });
    await expect(attempt).rejects.toMatchObject({ code: 'git_failed' });
  });

  test('an old git is refused by name', () => {
    expect(() => requireGit('2.37.9')).toThrow(expect.objectContaining({ code: 'git_too_old' }));
    expect(() => requireGit('1.99')).toThrow('1.99');
    for (const version of ['2.38.0', '2.39.5 (Apple Git-154)', '3.0'])
      expect(() => requireGit(version)).not.toThrow();
  });
});

describe('HEAD', () => {
  test('is unborn, on a branch, or detached', async () => {
    const fixture = gitFixture({ branch: 'main' });
    const repo = await fixture.open();
    expect(await headOf(repo, fixture.dir)).toEqual({ kind: 'unborn', branch: 'main' });
    const oid = fixture.commit('first', { a: '1' });
    expect(await headOf(repo, fixture.dir)).toEqual({ kind: 'branch', branch: 'main', oid });
    fixture.git('checkout', '--quiet', '--detach');
    expect(await headOf(repo, fixture.dir)).toEqual({ kind: 'detached', oid });
  });
});

describe('the environment of git', () => {
  test('carries no repository, index or configuration of the caller, and keeps its identity', () => {
    const env = gitEnv({
      PATH: '/bin',
      LANG: 'de_DE.UTF-8',
      GIT_DIR: '/elsewhere',
      GIT_INDEX_FILE: '/elsewhere/index',
      GIT_CONFIG_PARAMETERS: "'a.b=c'",
      GIT_AUTHOR_NAME: 'Ada',
    });
    expect(env).toMatchObject({
      PATH: '/bin',
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'Ada',
    });
    for (const name of ['GIT_DIR', 'GIT_INDEX_FILE', 'GIT_CONFIG_PARAMETERS']) {
      expect(env).not.toHaveProperty(name);
    }
  });

  test('a failing call throws with what git printed, on either output', async () => {
    const fixture = gitFixture();
    const place = { dir: fixture.dir, env: gitEnv(fixtureEnv) };
    await expect(runGit(place, ['rev-parse', '--verify', 'nothing'])).rejects.toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('Needed a single revision'),
    });
    const nothing = runGit(place, ['commit', '-m', 'empty']);
    await expect(nothing).rejects.toMatchObject({ message: expect.stringContaining('nothing to commit') });
  });

  test('output beyond the limit ends the process', async () => {
    const fixture = gitFixture();
    fixture.commit('big', { big: 'x'.repeat(200_000) });
    const repo = await fixture.open();
    const attempt = runGit(repo, ['show', 'HEAD:big'], { maxBuffer: 1000 });
    await expect(attempt).rejects.toMatchObject({ code: 'too_large' });
  });
});
