import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { commitWorktree } from './commit-worktree.ts';
import { worktreeStatus } from './worktree-files.ts';

const ODD = { '-dash': '1', 'naïve.txt': '2', 'quo"te': '3', 'new\nline': '4', 'sp ace/ü ü': '5' };
const changeId = `I${'a'.repeat(40)}`;

describe('committing', () => {
  const input = {
    message: 'work\n',
    author: { name: 'bot', email: 'bot@example.org' },
    changeId,
    expectBranch: 'trunk',
  };

  test('takes everything, odd names too, with author and Change-Id', async () => {
    const fixture = gitFixture();
    const parent = fixture.commit('first', { a: '1', b: '1' });
    fixture.write({ ...ODD, a: '2', b: undefined });
    const repo = await fixture.open();
    const result = await commitWorktree(repo, fixture.dir, input);
    expect(result).toMatchObject({
      kind: 'committed',
      parent,
      files: [...Object.keys(ODD), 'a', 'b'].sort(),
    });
    expect(fixture.git('log', '-1', '--format=%an <%ae>|%cn|%B')).toBe(
      `bot <bot@example.org>|Carl|work\n\nChange-Id: ${changeId}`,
    );
    expect(fixture.git('status', '--porcelain')).toBe('');
    expect(await commitWorktree(repo, fixture.dir, input)).toEqual({ kind: 'nothing' });
    const empty = await commitWorktree(repo, fixture.dir, { ...input, allowEmpty: true });
    expect(empty).toMatchObject({ kind: 'committed', files: [] });
  });

  test('takes only the named paths, literally, and leaves what else is staged', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1', b: '1' });
    fixture.write({ a: '2', b: '2', '*': 'star', '-dash': '1', 'd/x': '1' });
    fixture.git('add', 'b');
    const repo = await fixture.open();
    const result = await commitWorktree(repo, fixture.dir, { ...input, paths: ['*', '-dash', 'd/'] });
    expect(result).toMatchObject({ kind: 'committed', files: ['*', '-dash', 'd/x'] });
    expect(fixture.git('show', '--name-only', '--format=', 'HEAD').split('\n')).toEqual([
      '*',
      '-dash',
      'd/x',
    ]);
    expect(await worktreeStatus(repo, fixture.dir)).toMatchObject({ staged: ['b'], unstaged: ['a'] });
  });

  test('is refused on another branch, on a detached HEAD, and on a head nobody expected', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1' });
    fixture.write({ a: '2' });
    const repo = await fixture.open();
    const before = fixture.git('for-each-ref');
    const refused = (change: object, code: string) =>
      expect(commitWorktree(repo, fixture.dir, { ...input, ...change })).rejects.toMatchObject({ code });
    await refused({ expectBranch: 'stream/x' }, 'wrong_branch');
    await refused({ expectHead: 'd'.repeat(40) }, 'stale');
    fixture.git('checkout', '--quiet', '--detach');
    await refused({}, 'wrong_branch');
    expect(fixture.git('for-each-ref')).toBe(before);
  });

  test('is refused while a merge somebody began is open, even when its mark is gone', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1\n' });
    const theirs = fixture.commit('theirs', { a: '2\n' });
    fixture.branchFrom('mine', base);
    const head = fixture.commit('mine', { a: '3\n' });
    fixture.tryGit(fixture.dir, 'merge', theirs);
    const repo = await fixture.open();
    const onMine = { ...input, expectBranch: 'mine' };
    await expect(commitWorktree(repo, fixture.dir, onMine)).rejects.toMatchObject({ code: 'wrong_state' });
    rmSync(join(fixture.dir, '.git/MERGE_HEAD'));
    await expect(commitWorktree(repo, fixture.dir, onMine)).rejects.toMatchObject({ code: 'conflict' });
    fixture.git('add', 'a');
    const marked = commitWorktree(repo, fixture.dir, onMine);
    await expect(marked).rejects.toMatchObject({ code: 'conflict', details: { files: ['a'] } });
    expect(fixture.oid('HEAD')).toBe(head);
    const meant = await commitWorktree(repo, fixture.dir, { ...onMine, allowMarkers: true });
    expect(meant.kind).toBe('committed');
  });

  test('concludes a merge when that is asked for', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1\n' });
    const theirs = fixture.commit('theirs', { a: '2\n' });
    fixture.branchFrom('mine', base);
    const mine = fixture.commit('mine', { a: '3\n' });
    fixture.tryGit(fixture.dir, 'merge', theirs);
    fixture.write({ a: '23\n' });
    fixture.git('add', 'a');
    const repo = await fixture.open();
    const result = await commitWorktree(repo, fixture.dir, {
      ...input,
      expectBranch: 'mine',
      concludes: 'merge',
    });
    expect(result.kind).toBe('committed');
    expect(fixture.git('log', '-1', '--format=%P')).toBe(`${mine} ${theirs}`);
  });

  test('a hook that says no is heard, on both outputs', async () => {
    const fixture = gitFixture();
    const head = fixture.commit('first', { a: '1' });
    const hook = join(fixture.dir, '.git/hooks/pre-commit');
    fixture.write({
      a: '2',
      '.git/hooks/pre-commit': '#!/bin/sh\necho on stdout\necho on stderr >&2\nexit 1\n',
    });
    chmodSync(hook, 0o755);
    const repo = await fixture.open();
    const result = await commitWorktree(repo, fixture.dir, input);
    expect(result).toMatchObject({ kind: 'hook_failed' });
    const output = result.kind === 'hook_failed' ? result.output : '';
    expect(output).toContain('on stdout');
    expect(output).toContain('on stderr');
    expect(fixture.oid('HEAD')).toBe(head);
    const without = await commitWorktree(repo, fixture.dir, { ...input, runHooks: false });
    expect(without.kind).toBe('committed');
  });

  test('the first commit of an unborn branch', async () => {
    const fixture = gitFixture();
    fixture.write({ a: '1' });
    const repo = await fixture.open();
    const result = await commitWorktree(repo, fixture.dir, input);
    expect(result).toMatchObject({ kind: 'committed', parent: undefined, files: ['a'] });
  });

  test('a merge that was begun and killed cannot turn into an ordinary commit', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1\n', b: '1\n' });
    const theirs = fixture.commit('theirs', { b: '2\n' });
    fixture.branchFrom('mine', base);
    fixture.commit('mine', { a: '3\n' });
    fixture.git('merge', '--quiet', '--no-commit', '--no-ff', theirs);
    const repo = await fixture.open();
    const attempt = commitWorktree(repo, fixture.dir, { ...input, expectBranch: 'mine' });
    await expect(attempt).rejects.toMatchObject({ code: 'wrong_state', details: { inProgress: 'merge' } });
  });
});
