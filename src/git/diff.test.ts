import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { changedPaths, diffStat, diffText } from './diff.ts';

describe('differences', () => {
  test('name paths as they are, renames only when asked', async () => {
    const fixture = gitFixture();
    const old = fixture.commit('old', { 'na\tïve"\n': '1\n', same: '1\n', gone: '1\n2\n3\n4\n' });
    const next = fixture.commit('new', {
      'na\tïve"\n': '1\n2\n',
      gone: undefined,
      come: '1\n2\n3\n4\n',
      bin: Buffer.from([0, 1]),
    });
    const repo = await fixture.open();
    expect(await changedPaths(repo, old, next)).toEqual([
      { path: 'bin', status: 'added' },
      { path: 'come', status: 'added' },
      { path: 'gone', status: 'deleted' },
      { path: 'na\tïve"\n', status: 'modified' },
    ]);
    const renamed = await changedPaths(repo, old, next, { renames: true });
    expect(renamed).toContainEqual({ path: 'come', status: 'renamed', oldPath: 'gone' });
    const stat = await diffStat(repo, old, next);
    expect(stat).toMatchObject({ files: 4, insertions: 5, deletions: 4 });
    expect(stat.perFile).toContainEqual({ path: 'na\tïve"\n', insertions: 1, deletions: 0 });
    expect(stat.perFile).toContainEqual({ path: 'bin', insertions: undefined, deletions: undefined });
    expect(await diffText(repo, old, next, { paths: ['na\tïve"\n'] })).toContain('+2');
    expect(await diffText(repo, old, next, { paths: ['same'] })).toBe('');
  });
});
