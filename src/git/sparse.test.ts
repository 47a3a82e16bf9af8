import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { allowSparse, disallowSparse, isSparse, widenWorktree } from './sparse.ts';
import { addWorktree, removeWorktree } from './worktrees.ts';

async function fixtureWithSparse() {
  const fixture = gitFixture();
  const oid = fixture.commit('first', { top: '0', 'a/x': '1', 'b/y': '2' });
  const before = readFileSync(join(fixture.dir, '.git/config'), 'utf8');
  const repo = await fixture.open();
  expect(await allowSparse(repo)).toBe(true);
  const path = join(fixture.top, 'sparse');
  await addWorktree(repo, { path, branch: 's', oid, sparsePaths: ['a/**', 'a/new/file.ts'] });
  return { fixture, repo, path, before };
}

describe('sparse worktrees', () => {
  test('hold what patterns and files to come stand for, and everything once they were widened', async () => {
    const { fixture, repo, path } = await fixtureWithSparse();
    expect([isSparse(path), isSparse(fixture.dir)]).toEqual([true, false]);
    expect(existsSync(join(path, 'b/y'))).toBe(false);
    fixture.write({ 'b/z': 'mine' }, path);
    await widenWorktree(repo, path);
    expect(readFileSync(join(path, 'b/y'), 'utf8')).toBe('2');
    expect(readFileSync(join(path, 'b/z'), 'utf8')).toBe('mine');
    expect(isSparse(path)).toBe(false);
    await widenWorktree(repo, path);
    expect(fixture.gitIn(path, 'status', '--porcelain')).toBe('?? b/z');
  });

  test('are not made of patterns that may fit in any directory', async () => {
    const { fixture, repo } = await fixtureWithSparse();
    const holds = async (name: string, pattern: string) => {
      const path = join(fixture.top, name);
      const oid = fixture.git('rev-parse', 'HEAD');
      await addWorktree(repo, { path, branch: name, oid, sparsePaths: [pattern] });
      return [isSparse(path), existsSync(join(path, 'b/y'))];
    };
    expect(await holds('deep', '**/*.ts')).toEqual([false, true]);
    expect(await holds('each', '*/y')).toEqual([false, true]);
    expect(await holds('flat', '*.md')).toEqual([true, false]);
  });

  test('are gone without a trace in the settings, unless somebody else has come to need them', async () => {
    const { fixture, repo, path, before } = await fixtureWithSparse();
    const settings = () => readFileSync(join(fixture.dir, '.git/config'), 'utf8');
    fixture.git('worktree', 'add', '--quiet', join(fixture.top, 'theirs'));
    fixture.gitIn(join(fixture.top, 'theirs'), 'sparse-checkout', 'set', 'b');
    await removeWorktree(repo, path, { force: true });
    expect(await disallowSparse(repo)).toBe(false);
    expect(fixture.git('config', 'extensions.worktreeConfig')).toBe('true');
    expect(existsSync(join(fixture.top, 'theirs/a/x'))).toBe(false);

    fixture.git('worktree', 'remove', join(fixture.top, 'theirs'));
    // What was left for somebody is theirs from then on.
    expect(await disallowSparse(repo)).toBe(false);
    fixture.git('config', '--unset', 'extensions.worktreeConfig');
    expect(await allowSparse(repo)).toBe(true);
    expect(await disallowSparse(repo)).toBe(true);
    expect(
      settings()
        .replace(/\[extensions\]\s*$/m, '')
        .trim(),
    ).toBe(before.trim());
  });

  test('are not made where settings of others would have to be moved for them', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { a: '1' });
    fixture.git('config', 'core.worktree', fixture.dir);
    const before = readFileSync(join(fixture.dir, '.git/config'), 'utf8');
    expect(await allowSparse(await fixture.open())).toBe(false);
    expect(readFileSync(join(fixture.dir, '.git/config'), 'utf8')).toBe(before);
  });
});
