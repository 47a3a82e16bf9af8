import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { changedPaths, diffStat, diffText, patchId, patchIds } from './diff.ts';

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

  test('a patch keeps its id on another base and gets a new one with another line or other bytes', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: '1\n2\n3\n4\n5\n6\n7\n8\n9\n', bin: Buffer.from([0]) });
    const other = fixture.commit('other', { z: '1\n' });
    fixture.branchFrom('x', base);
    const x = fixture.commit('x', { f: '1\n2\n3\n4\nX\n6\n7\n8\n9\n' });
    fixture.git('checkout', '--quiet', '--detach', other);
    fixture.git('cherry-pick', x);
    const moved = fixture.oid('HEAD');
    const repo = await fixture.open();
    const patch = await patchId(repo, base, x);
    expect(patch).toMatch(/^[0-9a-f]{40}$/);
    expect(await patchId(repo, other, moved)).toBe(patch);
    expect(await patchId(repo, base, base)).toBe('');
    const bytes = [
      fixture.commit('b1', { bin: Buffer.from([0, 1]) }),
      fixture.commit('b2', { bin: Buffer.from([0, 2]) }),
    ];
    expect(await patchId(repo, moved, bytes[0] ?? '')).not.toBe(await patchId(repo, moved, bytes[1] ?? ''));
    const each = await patchIds(repo, [x, moved, base]);
    expect(each.get(x)).toBe(patch);
    expect(each.get(moved)).toBe(patch);
    expect(each.get(base)).toMatch(/^[0-9a-f]{40}$/);
  });
});
