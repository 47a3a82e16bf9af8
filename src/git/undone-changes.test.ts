import { expect, it } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { declaresUndo, undoneChanges } from './undone-changes.ts';

it('a file that has its earlier content again takes the change in between back; an edit on top of it does not', async () => {
  const git = gitFixture();
  const repo = await git.open();
  git.commit('begin', { a: 'one\n', b: 'one\n' });
  const change = git.commit('change a', { a: 'two\n' });
  git.commit('change b', { b: 'two\n' });
  const base = git.oid('HEAD');
  const back = git.commit('tidy', { a: 'one\n', c: 'c\n' });
  expect(await undoneChanges(repo, { base, head: back })).toEqual([{ commit: change, paths: ['a'] }]);
  expect(await declaresUndo(repo, { base, head: back })).toBe(false);
  git.branchFrom('edit', base);
  const edit = git.commit('go on', { a: 'three\n' });
  expect(await undoneChanges(repo, { base, head: edit })).toEqual([]);
});

it('a file of somebody that is deleted alone is no undoing; all that a landing brought is', async () => {
  const git = gitFixture();
  const repo = await git.open();
  git.commit('begin', { a: 'one\n' });
  git.branchFrom('work', git.oid('HEAD'));
  git.commit('add two', { 'x/one': '1\n', 'x/two': '2\n' });
  git.branchFrom(git.branch, git.branch);
  git.git('merge', '--quiet', '--no-ff', '-m', 'land work', 'work');
  const landing = git.oid('HEAD');
  const one = git.commit('drop one', { 'x/one': undefined });
  expect(await undoneChanges(repo, { base: landing, head: one })).toEqual([]);
  const both = git.commit('Revert "add two"', { 'x/two': undefined });
  expect(await undoneChanges(repo, { base: landing, head: both })).toEqual([
    { commit: landing, paths: ['x/one', 'x/two'] },
  ]);
  expect(await declaresUndo(repo, { base: landing, head: both })).toBe(true);
});
