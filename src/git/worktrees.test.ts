import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ada, gitFixture } from '../../test/support/git-fixture.ts';
import { commitWorktree } from './commit-worktree.ts';
import { findLeftovers } from './leftovers.ts';
import { listWorktrees } from './list-worktrees.ts';
import { fastForwardCheckedOut, moveCheckout } from './move-checkout.ts';
import { prepareRefs } from './prepare-refs.ts';
import { restoreSnapshot, snapshotWorktree } from './snapshot.ts';
import { worktreeStatus } from './worktree-files.ts';
import { addWorktree, fillWorktree, registerWorktree, removeWorktree, repairWorktree } from './worktrees.ts';

const ODD = { '-dash': '1', 'naïve.txt': '2', 'quo"te': '3', 'new\nline': '4', 'sp ace/ü ü': '5' };
const changeId = `I${'a'.repeat(40)}`;
const snapshot = { ref: 'refs/gitswarm/snapshots/1', message: 'saved', author: ada };

describe('worktrees', () => {
  test('32 made at once: all there, none half made', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { a: '1', 'd/b': '2' });
    const repo = await fixture.open();
    let turn: Promise<unknown> = Promise.resolve();
    const add = async (n: number) => {
      const input = { path: join(fixture.top, `w${n}`), branch: `stream/${n}`, oid };
      const registered = turn.then(() => registerWorktree(repo, input));
      turn = registered.catch(() => {});
      await registered;
      await fillWorktree(repo, input);
    };
    await Promise.all(Array.from({ length: 32 }, (_, n) => add(n)));
    const worktrees = await listWorktrees(repo);
    expect(worktrees).toHaveLength(33);
    for (const { path } of worktrees) expect((await worktreeStatus(repo, path)).clean).toBe(true);
    expect(findLeftovers(repo, Date.now())).toEqual([]);
  });

  test('keep hostile names apart from options', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', ODD);
    const repo = await fixture.open();
    const path = join(fixture.top, '--force ü\n"x"');
    await addWorktree(repo, { path, branch: 'stream/ü', oid });
    expect(await listWorktrees(repo)).toMatchObject([
      { path: fixture.dir },
      { path, branch: 'stream/ü', head: oid },
    ]);
    for (const [name, content] of Object.entries(ODD))
      expect(readFileSync(join(path, name), 'utf8')).toBe(content);
    await removeWorktree(repo, path);
    expect(existsSync(path)).toBe(false);
  });

  test('sparse ones hold only their directories', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { top: '0', 'a/x': '1', 'b/y': '2', 'c ü/z': '3' });
    const repo = await fixture.open();
    const path = join(fixture.top, 'sparse');
    await addWorktree(repo, { path, branch: 's', oid, sparsePaths: ['a/x', 'c ü'] });
    expect(['top', 'a/x', 'b/y', 'c ü/z'].filter((file) => existsSync(join(path, file)))).toEqual([
      'top',
      'a/x',
      'c ü/z',
    ]);
    expect((await worktreeStatus(repo, path)).clean).toBe(true);
    expect((await worktreeStatus(repo, fixture.dir)).clean).toBe(true);
  });

  test('a branch that is elsewhere is not taken, a dirty one is not removed, filling twice changes nothing', async () => {
    const fixture = gitFixture();
    const one = fixture.commit('first', { a: '1' });
    const two = fixture.commit('second', { a: '2' });
    const repo = await fixture.open();
    fixture.git('branch', 'taken', one);
    const path = join(fixture.top, 'w');
    await expect(registerWorktree(repo, { path, branch: 'taken', oid: two })).rejects.toMatchObject({
      code: 'stale',
    });
    await addWorktree(repo, { path, branch: 'taken', oid: one });
    fixture.write({ a: 'edited' }, path);
    await fillWorktree(repo, { path });
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('edited');
    await expect(removeWorktree(repo, path)).rejects.toMatchObject({ code: 'worktree_dirty' });
    await removeWorktree(repo, path, { force: true });
    expect(await listWorktrees(repo)).toHaveLength(1);
  });

  test('what died half way is reported, and a moved one can be repaired', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { a: '1' });
    const repo = await fixture.open();
    const [empty, gone, busy, moved] = ['empty', 'gone', 'busy', 'moved'].map((name) =>
      join(fixture.top, name),
    );
    for (const path of [empty, gone, busy, moved])
      await registerWorktree(repo, { path: path ?? '', branch: path?.split('/').at(-1) ?? '', oid });
    for (const path of [gone, busy, moved]) await fillWorktree(repo, { path: path ?? '' });
    rmSync(gone ?? '', { recursive: true });
    const git = join(fixture.dir, '.git');
    fixture.write(
      { 'refs/heads/x.lock': '', 'worktrees/busy/index.lock': '', 'worktrees/busy/MERGE_HEAD': oid },
      git,
    );
    const found = findLeftovers(repo, Date.now());
    expect(found).toMatchObject([
      { kind: 'lock', path: join(git, 'refs/heads/x.lock') },
      { kind: 'lock', path: join(git, 'worktrees/busy/index.lock') },
      { kind: 'interrupted', worktree: busy, operation: 'merge' },
      { kind: 'half_made_worktree', worktree: empty, reason: 'no_files' },
      { kind: 'half_made_worktree', worktree: gone, reason: 'no_directory' },
    ]);
    await repairWorktree(repo, moved ?? '');
  });
});

describe('the status of a worktree', () => {
  test('names every file as it is, first letters and all', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { ' lead': '1', 'a b': '1', staged: '1' });
    fixture.write({ ' lead': '2', 'a b': undefined, staged: '2' });
    fixture.git('add', 'staged');
    fixture.write(ODD);
    const repo = await fixture.open();
    const status = await worktreeStatus(repo, fixture.dir);
    expect(status).toMatchObject({
      branch: 'trunk',
      clean: false,
      staged: ['staged'],
      unstaged: [' lead', 'a b'],
    });
    expect(status.untracked.toSorted()).toEqual(Object.keys(ODD).toSorted());
  });

  test('knows an unborn branch, a merge in progress in a linked worktree, and a locked index', async () => {
    const fixture = gitFixture();
    const repo = await fixture.open();
    expect(await worktreeStatus(repo, fixture.dir)).toMatchObject({
      branch: 'trunk',
      head: undefined,
      clean: true,
    });
    const base = fixture.commit('base', { a: '1' });
    const other = fixture.commit('other', { a: '2' });
    const path = join(fixture.top, 'w');
    await addWorktree(repo, { path, branch: 's', oid: base });
    fixture.commit('mine', { a: '3' }, path);
    fixture.tryGit(path, 'merge', other);
    fixture.write({ '.git/worktrees/w/index.lock': '' });
    expect(await worktreeStatus(repo, path)).toMatchObject({
      unmerged: ['a'],
      inProgress: 'merge',
      indexLocked: true,
    });
  });
});

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

describe('moving a checkout with its ref', () => {
  async function twoCommits() {
    const fixture = gitFixture();
    const old = fixture.commit('old', { a: '1\n', b: '1\n', c: '1\n' });
    const next = fixture.commit('new', { a: '2\n', n: 'new\n', c: undefined });
    const worktree = join(fixture.top, 'w');
    const repo = await fixture.open();
    await addWorktree(repo, { path: worktree, branch: 's', oid: old });
    return { fixture, repo, worktree, old, next, move: { worktree, ref: 'refs/heads/s', old, new: next } };
  }

  test('leaves it clean at the new commit, and the next commit there undoes nothing', async () => {
    const { fixture, repo, worktree, next, move } = await twoCommits();
    expect(await moveCheckout(repo, move)).toEqual({ kind: 'moved' });
    expect(await worktreeStatus(repo, worktree)).toMatchObject({ head: next, clean: true, branch: 's' });
    fixture.write({ b: 'agent\n' }, worktree);
    fixture.gitIn(worktree, 'add', '--all');
    fixture.gitIn(worktree, 'commit', '--quiet', '-m', 'agent');
    expect(fixture.git('diff', '--name-only', next, 's')).toBe('b');
  });

  test('keeps an edit that does not overlap, and refuses one that does, without any change', async () => {
    const { fixture, repo, worktree, old, move } = await twoCommits();
    for (const files of [{ a: 'mine\n' }, { n: 'untracked\n' }, { c: 'mine\n' }]) {
      fixture.write(files, worktree);
      const before = fixture.gitIn(worktree, 'status', '--porcelain');
      expect(await moveCheckout(repo, move)).toEqual({
        kind: 'behind',
        reason: 'local_changes',
        files: Object.keys(files),
      });
      expect(fixture.gitIn(worktree, 'status', '--porcelain')).toBe(before);
      expect(fixture.oid('s')).toBe(old);
      fixture.gitIn(worktree, 'reset', '--quiet', '--hard');
      fixture.gitIn(worktree, 'clean', '-fdq');
    }
    fixture.write({ b: 'mine\n' }, worktree);
    expect(await moveCheckout(repo, move)).toEqual({ kind: 'moved' });
    expect(await worktreeStatus(repo, worktree)).toMatchObject({
      unstaged: ['b'],
      staged: [],
      untracked: [],
    });
  });

  test('a stream without commits of its own never loses uncommitted work', async () => {
    const { fixture, repo, worktree, move } = await twoCommits();
    fixture.write({ a: 'hours of work\n', extra: 'more\n' }, worktree);
    expect((await moveCheckout(repo, move)).kind).toBe('behind');
    expect(readFileSync(join(worktree, 'a'), 'utf8')).toBe('hours of work\n');
    expect(readFileSync(join(worktree, 'extra'), 'utf8')).toBe('more\n');
  });

  test('is behind on another branch, with a locked index and in the middle of a rebase; lost when the ref moved', async () => {
    const { fixture, repo, worktree, old, next, move } = await twoCommits();
    const lock = '.git/worktrees/w/index.lock';
    fixture.write({ [lock]: '' });
    expect(await moveCheckout(repo, move)).toMatchObject({ kind: 'behind', reason: 'index_locked' });
    rmSync(join(fixture.dir, lock));
    fixture.write({ '.git/worktrees/w/MERGE_HEAD': next });
    expect(await moveCheckout(repo, move)).toMatchObject({ kind: 'behind', reason: 'in_progress' });
    rmSync(join(fixture.dir, '.git/worktrees/w/MERGE_HEAD'));
    fixture.gitIn(worktree, 'checkout', '--quiet', '--detach');
    expect(await moveCheckout(repo, move)).toMatchObject({ kind: 'behind', reason: 'other_branch' });
    fixture.gitIn(worktree, 'checkout', '--quiet', 's');
    expect((await moveCheckout(repo, { ...move, old: next, new: old })).kind).toBe('lost');
    const held = await prepareRefs(repo, [{ ref: move.ref, old, new: next }], 'x', { withCheckout: true });
    await expect(moveCheckout(repo, move)).rejects.toMatchObject({ code: 'busy' });
    if (held.kind === 'prepared') await held.abort();
    expect(fixture.oid('s')).toBe(old);
  });

  test('a person on the target sees a fast-forward, and nothing where an edit overlaps', async () => {
    const fixture = gitFixture();
    const old = fixture.commit('old', { a: '1\n', b: '1\n' });
    fixture.branchFrom('buffer', old);
    const next = fixture.commit('new', { a: '2\n' });
    fixture.git('switch', '--quiet', 'trunk');
    const repo = await fixture.open();
    const move = { worktree: fixture.dir, ref: 'refs/heads/trunk', old, new: next };
    fixture.write({ a: 'mine\n' });
    expect(await fastForwardCheckedOut(repo, move)).toEqual({
      kind: 'behind',
      reason: 'local_changes',
      files: ['a'],
    });
    fixture.write({ a: '1\n', b: 'edited\n' });
    expect(await fastForwardCheckedOut(repo, move)).toEqual({ kind: 'moved' });
    expect(fixture.git('status', '--porcelain')).toBe('M b');
    const back = { ...move, old: next, new: old };
    await expect(fastForwardCheckedOut(repo, back)).rejects.toMatchObject({ code: 'invalid' });
  });
});

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
});
