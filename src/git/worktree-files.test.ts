import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { worktreeStatus } from './worktree-files.ts';
import { addWorktree } from './worktrees.ts';

const ODD = { '-dash': '1', 'naïve.txt': '2', 'quo"te': '3', 'new\nline': '4', 'sp ace/ü ü': '5' };

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
