import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Files, gitFixture } from '../../test/support/git-fixture.ts';
import { applyCascade, cascade } from './cascade.ts';
import type { CascadeStream } from './cascade-stream.ts';
import { findRef } from './refs.ts';

/** A parent that has moved, and a way to put streams on each other. */
async function family() {
  const fixture = gitFixture();
  const start = fixture.commit('start', { p: '1\n', q: '1\n' });
  fixture.branchFrom('root', start);
  const oldHead = fixture.commit('root 1', { r: '1\n' });
  const streams: CascadeStream[] = [];
  const add = (id: string, parentId: string, base: string, ...files: Files[]) => {
    fixture.branchFrom(`stream/${id}`, base);
    for (const [i, each] of files.entries()) fixture.commit(`${id} ${i}`, each);
    const head = fixture.oid('HEAD');
    streams.push({ id, ref: `refs/heads/stream/${id}`, head, parentId, base });
    return head;
  };
  const move = (files: Files) => {
    fixture.branchFrom('root', oldHead);
    const newHead = fixture.commit('root 2', files);
    fixture.git('switch', '--quiet', 'trunk');
    return { id: 'root', oldHead, newHead };
  };
  return { fixture, repo: await fixture.open(), oldHead, streams, add, move };
}

const files = (git: (...args: string[]) => string, rev: string) =>
  git('ls-tree', '-r', '--name-only', rev).split('\n');

describe('a cascade', () => {
  test('moves a chain and a fan, each commit once, in one transaction', async () => {
    const { fixture, repo, oldHead, streams, add, move } = await family();
    const a = add('a', 'root', oldHead, { a: '1\n' }, { a: '2\n' });
    add('b', 'a', a, { b: '1\n' });
    add('c', 'a', a, { c: '1\n' });
    add('other', 'elsewhere', oldHead, { x: '1\n' });
    const moved = move({ r: '2\n' });
    const result = await cascade(repo, { moved, streams, policy: 'defer' });
    expect(result.rebased.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(result).toMatchObject({ conflicted: [], deferred: [], unchanged: ['other'] });
    expect(fixture.oid('stream/a')).toBe(a);
    expect(await applyCascade(repo, result.updates, 'cascade')).toEqual({ kind: 'moved' });
    expect(fixture.git('log', '--format=%s', 'stream/b')).toBe('b 0\na 1\na 0\nroot 2\nroot 1\nstart');
    expect(files((...args) => fixture.git(...args), 'stream/c')).toEqual(['a', 'c', 'p', 'q', 'r']);
    const b = result.rebased.find(({ id }) => id === 'b');
    expect(b?.bases).toEqual({ a: fixture.oid('stream/a') });
    expect(fixture.git('symbolic-ref', 'HEAD')).toBe('refs/heads/trunk');
  });

  test('a conflict stops its stream and what is below, and nothing else', async () => {
    const { repo, oldHead, streams, add, move } = await family();
    const a = add('a', 'root', oldHead, { a: '1\n' });
    const b = add('b', 'a', a, { r: 'clash\n' });
    const c = add('c', 'b', b, { c: '1\n' });
    add('d', 'c', c, { d: '1\n' });
    add('e', 'a', a, { e: '1\n' });
    const moved = move({ r: '2\n' });
    const result = await cascade(repo, { moved, streams, policy: 'defer' });
    expect(result.rebased.map(({ id }) => id)).toEqual(['a', 'e']);
    expect(result.conflicted).toMatchObject([{ id: 'b', at: b, files: [{ path: 'r', kind: 'content' }] }]);
    expect(result.deferred).toEqual(['c', 'd']);
    expect(result.updates.map(({ ref }) => ref)).toEqual(['refs/heads/stream/a', 'refs/heads/stream/e']);
    const all = await cascade(repo, { moved, streams, policy: 'ours' });
    expect(all.rebased.map(({ id }) => id)).toEqual(['a', 'b', 'e', 'c', 'd']);
    const held = await cascade(repo, { moved, streams, policy: 'defer', hold: ['a'] });
    expect(held).toMatchObject({ updates: [], deferred: ['a', 'b', 'e', 'c', 'd'] });
  });

  test('told to stop, it does no level after the one with the conflict', async () => {
    const { repo, oldHead, streams, add, move } = await family();
    add('a', 'root', oldHead, { r: 'clash\n' });
    const b = add('b', 'root', oldHead, { b: '1\n' });
    add('c', 'b', b, { c: '1\n' });
    const result = await cascade(repo, { moved: move({ r: '2\n' }), streams, policy: 'stop' });
    expect(result.rebased.map(({ id }) => id)).toEqual(['b']);
    expect(result).toMatchObject({ conflicted: [{ id: 'a' }], deferred: ['c'] });
  });

  test('a diamond moves, with both new parents in it', async () => {
    const { fixture, repo, oldHead, streams, add, move } = await family();
    const left = add('left', 'root', oldHead, { left: '1\n' });
    const right = add('right', 'root', oldHead, { right: '1\n' });
    fixture.branchFrom('stream/tip', left);
    fixture.git('merge', '--quiet', '--no-ff', '-m', 'both', right);
    const head = fixture.commit('tip', { tip: '1\n' });
    const otherParents = [{ id: 'right', base: right }];
    streams.push({
      id: 'tip',
      ref: 'refs/heads/stream/tip',
      head,
      parentId: 'left',
      base: left,
      otherParents,
    });
    streams.push({ id: 'below', ref: 'refs/heads/stream/below', head, parentId: 'tip', base: head });
    fixture.git('branch', 'stream/below', head);
    const result = await cascade(repo, { moved: move({ r: '2\n', new: '1\n' }), streams, policy: 'defer' });
    expect(result.rebased.map(({ id }) => id)).toEqual(['left', 'right', 'tip', 'below']);
    expect(await applyCascade(repo, result.updates, 'cascade')).toEqual({ kind: 'moved' });
    expect(files((...args) => fixture.git(...args), 'stream/tip')).toEqual([
      'left',
      'new',
      'p',
      'q',
      'r',
      'right',
      'tip',
    ]);
    for (const parent of ['left', 'right'])
      fixture.git('merge-base', '--is-ancestor', `stream/${parent}`, 'stream/tip');
    expect(fixture.oid('stream/below')).toBe(fixture.oid('stream/tip'));
  });

  test('a circle is refused, and a stream that is where it should be stays', async () => {
    const { repo, oldHead, streams, add, move } = await family();
    const a = add('a', 'root', oldHead, { a: '1\n' });
    const moved = move({ r: '2\n' });
    const first = streams[0];
    if (!first) throw new Error('no stream');
    const circle = [
      { ...first, otherParents: [{ id: 'b', base: a }] },
      { ...first, id: 'b', parentId: 'a', base: a },
    ];
    await expect(cascade(repo, { moved, streams: circle, policy: 'defer' })).rejects.toMatchObject({
      code: 'invalid',
    });
    const still = await cascade(repo, { moved: { ...moved, newHead: oldHead }, streams, policy: 'defer' });
    expect(still).toMatchObject({ updates: [], unchanged: ['a'] });
  });

  test('is lost as a whole when one stream got a commit meanwhile, and refused for a checked-out one', async () => {
    const { fixture, repo, oldHead, streams, add, move } = await family();
    const a = add('a', 'root', oldHead, { a: '1\n' });
    add('b', 'a', a, { b: '1\n' });
    const { updates } = await cascade(repo, { moved: move({ r: '2\n' }), streams, policy: 'defer' });
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', linked, 'stream/b');
    await expect(applyCascade(repo, updates, 'x')).rejects.toMatchObject({ code: 'target_checked_out' });
    fixture.commit('meanwhile', { m: '1\n' }, linked);
    fixture.git('worktree', 'remove', linked);
    expect((await applyCascade(repo, updates, 'x')).kind).toBe('lost');
    expect(await findRef(repo, 'refs/heads/stream/a')).toBe(a);
  });
});
