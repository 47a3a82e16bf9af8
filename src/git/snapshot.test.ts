import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ada, gitFixture } from '../../test/support/git-fixture.ts';
import { restoreSnapshot, snapshotWorktree } from './snapshot.ts';
import { worktreeStatus } from './worktree-files.ts';

const ODD = { '-dash': '1', 'naïve.txt': '2', 'quo"te': '3', 'new\nline': '4', 'sp ace/ü ü': '5' };
const snapshot = { ref: 'refs/gitswarm/snapshots/1', message: 'saved', author: ada };

describe('a snapshot', () => {
  test('saves and brings back everything, untracked and odd names too, and touches neither index nor files', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1', b: '1', '.gitignore': 'ignored\n' });
    fixture.write({ ...ODD, a: 'edited', b: undefined, staged: 's', ignored: 'x' });
    fixture.git('add', 'staged');
    const repo = await fixture.open();
    const before = fixture.git('status', '--porcelain', '-z');
    const oid = await snapshotWorktree(repo, fixture.dir, snapshot);
    expect(fixture.oid(snapshot.ref)).toBe(oid);
    expect(fixture.git('status', '--porcelain', '-z')).toBe(before);
    expect(fixture.git('ls-tree', '-r', '--name-only', '-z', oid ?? '').split('\0')).not.toContain('ignored');
    expect(await snapshotWorktree(repo, fixture.dir, snapshot)).toBe(oid);
    const again = snapshotWorktree(repo, fixture.dir, { ...snapshot, message: 'other' });
    await expect(again).rejects.toMatchObject({ code: 'already_exists' });
    expect((await restoreSnapshot(repo, fixture.dir, { snapshot: oid ?? '' })).kind).toBe('dirty');
    fixture.git('reset', '--quiet', '--hard');
    fixture.git('clean', '-fdq');
    fixture.commit('meanwhile', { later: '1' });
    expect(await restoreSnapshot(repo, fixture.dir, { snapshot: oid ?? '' })).toEqual({ kind: 'restored' });
    const status = await worktreeStatus(repo, fixture.dir);
    expect(status).toMatchObject({ staged: [], unstaged: ['a', 'b'] });
    expect(status.untracked.toSorted()).toEqual([...Object.keys(ODD), 'staged'].toSorted());
    for (const [name, content] of Object.entries(ODD))
      expect(readFileSync(join(fixture.dir, name), 'utf8')).toBe(content);
  });

  test('is not made of a clean worktree, and works before the first commit and amid a conflict', async () => {
    const fixture = gitFixture();
    const repo = await fixture.open();
    expect(await snapshotWorktree(repo, fixture.dir, snapshot)).toBeUndefined();
    fixture.write({ a: '1\n' });
    const unborn = await snapshotWorktree(repo, fixture.dir, snapshot);
    expect(fixture.git('show', `${unborn}:a`)).toBe('1');
    const base = fixture.commit('base', { a: '1\n' });
    expect(await snapshotWorktree(repo, fixture.dir, snapshot)).toBeUndefined();
    const theirs = fixture.commit('theirs', { a: '2\n' });
    fixture.branchFrom('mine', base);
    fixture.commit('mine', { a: '3\n' });
    fixture.tryGit(fixture.dir, 'merge', theirs);
    const amid = await snapshotWorktree(repo, fixture.dir, { ...snapshot, ref: 'refs/gitswarm/snapshots/2' });
    expect(fixture.git('show', `${amid}:a`)).toContain('<<<<<<<');
    expect((await worktreeStatus(repo, fixture.dir)).unmerged).toEqual(['a']);
  });

  test('keeps what was staged and then edited again', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1' });
    fixture.write({ a: 'staged' });
    fixture.git('add', 'a');
    fixture.write({ a: 'edited' });
    const repo = await fixture.open();
    const oid = await snapshotWorktree(repo, fixture.dir, snapshot);
    expect(fixture.git('show', `${oid}:a`)).toBe('edited');
    expect(fixture.git('show', `${oid}^2:a`)).toBe('staged');
  });

  test('says which files no longer fit', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1\n' });
    fixture.write({ a: 'mine\n' });
    const repo = await fixture.open();
    const oid = await snapshotWorktree(repo, fixture.dir, snapshot);
    fixture.commit('theirs', { a: 'theirs\n' });
    expect(await restoreSnapshot(repo, fixture.dir, { snapshot: oid ?? '' })).toEqual({
      kind: 'conflict',
      files: ['a'],
    });
    expect(fixture.git('status', '--porcelain')).toBe('');
  });

  test('sees an edit of the same second and the same size as the commit', async () => {
    const fixture = gitFixture();
    const then = 1_700_000_000;
    const file = join(fixture.dir, 'a');
    fixture.git('config', 'core.trustctime', 'false');
    fixture.write({ a: '1' });
    utimesSync(file, then, then);
    fixture.git('add', 'a');
    fixture.git('commit', '--quiet', '-m', 'first');
    fixture.write({ a: '2' });
    utimesSync(file, then, then);
    utimesSync(join(fixture.dir, '.git/index'), then, then);
    const oid = await snapshotWorktree(await fixture.open(), fixture.dir, snapshot);
    expect(fixture.git('show', `${oid}:a`)).toBe('2');
  });
});
