import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import type { SwarmError } from '../contract/errors.ts';
import { fastForwardCheckedOut, moveCheckout, obstacleTo } from './move-checkout.ts';
import { writeBlob } from './objects.ts';
import { prepareRefs } from './prepare-refs.ts';
import { runGit } from './run-git.ts';
import { worktreeStatus } from './worktree-files.ts';
import { addWorktree } from './worktrees.ts';

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

  test('is asked for what stands in its way without moving anything', async () => {
    const { fixture, repo, worktree, old, move } = await twoCommits();
    expect(await obstacleTo(repo, move)).toBeUndefined();
    fixture.write({ b: 'mine\n' }, worktree);
    expect(await obstacleTo(repo, move)).toBeUndefined();
    fixture.write({ n: 'untracked\n' }, worktree);
    expect(await obstacleTo(repo, move)).toEqual({ kind: 'behind', reason: 'local_changes', files: ['n'] });
    expect(await worktreeStatus(repo, worktree)).toMatchObject({
      head: old,
      unstaged: ['b'],
      untracked: ['n'],
    });
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

  test('a file that was only touched is not in the way', async () => {
    const { repo, worktree, move } = await twoCommits();
    utimesSync(join(worktree, 'a'), 1_700_000_000, 1_700_000_000);
    expect(await moveCheckout(repo, move)).toEqual({ kind: 'moved' });
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

  test('raced by an agent that commits with plain git, nobody’s work is undone', async () => {
    const { fixture, repo, worktree, old, next } = await twoCommits();
    const kinds = new Set<string>();
    const kept: string[] = [];
    for (let i = 0; i < 12; i++) {
      const before = fixture.oid('s');
      const to = fixture.gitIn(
        worktree,
        'commit-tree',
        '-p',
        before,
        '-m',
        `move ${i}`,
        await grown(i, before),
      );
      fixture.write({ [`agent${i}`]: `${i}\n` }, worktree);
      const plain = runGit(repo, ['add', '--all'], { cwd: worktree, okExits: [0, 128] }).then(() =>
        runGit(repo, ['commit', '--quiet', '-m', 'agent'], { cwd: worktree, okExits: [0, 1, 128] }),
      );
      const move = moveCheckout(repo, { worktree, ref: 'refs/heads/s', old: before, new: to });
      const kind = await move.then((result) => result.kind).catch((error: SwarmError) => error.code);
      kinds.add(kind);
      await plain;
      fixture.gitIn(worktree, 'add', '--all');
      fixture.tryGit(worktree, 'commit', '--quiet', '-m', 'agent, again');
      const files = fixture.git('ls-tree', '--name-only', 's').split('\n');
      expect(files).toContain(`agent${i}`);
      expect(files.includes(`moved${i}`)).toBe(kind === 'moved');
      for (const file of kept) expect(files).toContain(file);
      kept.push(`agent${i}`, ...(kind === 'moved' ? [`moved${i}`] : []));
    }
    expect([...kinds].every((kind) => ['moved', 'behind', 'lost', 'busy'].includes(kind))).toBe(true);
    expect([old, next]).not.toContain(fixture.oid('s'));

    async function grown(i: number, before: string): Promise<string> {
      const blob = await writeBlob(repo, `${i}\n`);
      const entries = fixture.git('ls-tree', before);
      return (
        await runGit(repo, ['mktree'], { input: `${entries}\n100644 blob ${blob}\tmoved${i}\n` })
      ).stdout.trim();
    }
  });
});
