import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isId } from '../../base/ids.ts';
import type { StreamCommit } from '../../contract/streams.ts';
import { blocksOf } from './blocks.ts';

const commit = (name: string, patch = `p${name}`): StreamCommit => ({
  commit: `c${name}`,
  changeId: `I${name}`,
  message: name,
  author: 'a',
  patchId: patch,
});
const shape = (commits: StreamCommit[], joined: string[] = []) =>
  blocksOf('s', commits, new Set(joined)).map((block) =>
    block.commits.map(({ message }) => message).join(''),
  );

it('every commit is a block of its own, but for those that go on with the one before', () => {
  const commits = ['a', 'b', 'c', 'd'].map((name) => commit(name));
  expect(shape(commits)).toEqual(['a', 'b', 'c', 'd']);
  expect(shape(commits, ['Ib', 'Id'])).toEqual(['ab', 'cd']);
  expect(shape(commits, ['Ia', 'Ib', 'Ic', 'Id'])).toEqual(['abcd']);
});

it('a rebase keeps block and patch, a changed commit keeps the block, another commit makes another', () => {
  const [before] = blocksOf('s', [commit('a'), commit('b')], new Set(['Ib']));
  const [rebased] = blocksOf('s', [{ ...commit('a'), commit: 'x' }, commit('b')], new Set(['Ib']));
  const [changed] = blocksOf('s', [commit('a', 'new'), commit('b')], new Set(['Ib']));
  const [longer] = blocksOf('s', [commit('a'), commit('b'), commit('c')], new Set(['Ib', 'Ic']));
  expect([rebased?.id, rebased?.patchId]).toEqual([before?.id, before?.patchId]);
  expect([changed?.id === before?.id, changed?.patchId === before?.patchId]).toEqual([true, false]);
  expect(longer?.id).not.toBe(before?.id);
});

it('blocks are all the commits in their order, numbered, each with an id of its own', () => {
  const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 });
  fc.assert(
    fc.property(names, fc.array(fc.constantFrom(...'abcdefgh')), (all, joined) => {
      const blocks = blocksOf(
        's',
        all.map((name) => commit(name)),
        new Set(joined.map((name) => `I${name}`)),
      );
      expect(blocks.flatMap((block) => block.commits.map(({ message }) => message))).toEqual(all);
      expect(blocks.map((block) => block.number)).toEqual(blocks.map((_, i) => i + 1));
      expect(new Set(blocks.map((block) => block.id)).size).toBe(blocks.length);
      for (const block of blocks) expect(isId(block.id)).toBe(true);
    }),
  );
});
