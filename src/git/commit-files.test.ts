import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ada, type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { commitFiles } from './commit-files.ts';

function commit(fixture: GitFixture, files: Record<string, string>, dir = fixture.dir) {
  return fixture.open().then((repo) =>
    commitFiles(repo, dir, {
      ref: `refs/heads/${fixture.gitIn(dir, 'symbolic-ref', '--short', 'HEAD')}`,
      head: fixture.oid('HEAD', dir),
      files: Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) })),
      message: 'sync\n',
      author: ada,
      committer: ada,
    }),
  );
}

const status = (fixture: GitFixture, dir = fixture.dir) =>
  fixture.tryGit(dir, 'status', '--porcelain', '--untracked-files=all').stdout;

describe('files committed in the checkout of somebody', () => {
  test('everything else that is staged, changed or untracked stays as it is', async () => {
    const fixture = gitFixture();
    fixture.commit('first', {
      'plan.md': 'a\n',
      'staged.txt': '1',
      'both.txt': '1',
      'changed.txt': '1',
      'gone.txt': '1',
    });
    fixture.write({ 'staged.txt': '2', 'both.txt': '2', 'new.txt': 'n' });
    fixture.git('add', '.');
    fixture.git('rm', '--quiet', '--cached', 'gone.txt');
    fixture.write({ 'both.txt': '3', 'changed.txt': '2', 'untracked.txt': 'u' });
    const before = [status(fixture), fixture.git('diff', '--cached'), fixture.git('diff')];
    expect(await commit(fixture, { 'plan.md': 'b\n' })).toMatchObject({ kind: 'committed' });
    expect([status(fixture), fixture.git('diff', '--cached'), fixture.git('diff')]).toEqual(before);
    expect(fixture.git('show', '--format=%s', '--name-status', 'HEAD')).toBe('sync\n\nM\tplan.md');
    expect(readFileSync(join(fixture.dir, 'plan.md'), 'utf8')).toBe('b\n');
    expect(fixture.git('fsck', '--no-dangling')).toBe('');
  });

  test('line ends stay those of the file, whatever git is configured to write', async () => {
    const fixture = gitFixture();
    fixture.commit('first', { '.gitattributes': '*.md text eol=crlf\n', 'plan.md': 'a\r\nb\r\n' });
    writeFileSync(join(fixture.dir, 'plan.md'), 'a\nb\r\n');
    fixture.git('add', 'plan.md');
    expect(status(fixture)).toBe('');
    expect(await commit(fixture, { 'plan.md': 'A\nb\r\n' })).toMatchObject({ kind: 'committed' });
    expect(readFileSync(join(fixture.dir, 'plan.md'), 'utf8')).toBe('A\nb\r\n');
    expect(fixture.git('show', 'HEAD:plan.md')).toBe('A\nb');
    expect(status(fixture)).toBe('');
  });

  test('modes, odd names and folders stay', async () => {
    const fixture = gitFixture();
    const odd = 'sub dir/:(glob)*\n"ü".md';
    fixture.write({ [odd]: 'a\n' });
    chmodSync(join(fixture.dir, odd), 0o755);
    fixture.commit('first', {});
    expect(await commit(fixture, { [odd]: 'b\n' })).toMatchObject({ kind: 'committed' });
    expect(fixture.git('ls-tree', '-r', 'HEAD')).toContain('100755');
    expect(fixture.git('show', `HEAD:${odd}`)).toBe('b');
    expect(status(fixture)).toBe('');
  });

  test('nothing new makes no commit', async () => {
    const fixture = gitFixture();
    const head = fixture.commit('first', { 'plan.md': 'a\n' });
    expect(await commit(fixture, { 'plan.md': 'a\n' })).toEqual({ kind: 'nothing' });
    expect(fixture.oid('HEAD')).toBe(head);
  });

  test('an edit of the file, an unfinished merge or a locked index keep everything as it is', async () => {
    const fixture = gitFixture();
    const head = fixture.commit('first', { 'plan.md': 'a\n', 'x.txt': '1' });
    fixture.write({ 'plan.md': 'edited\n' });
    expect(await commit(fixture, { 'plan.md': 'b\n' })).toMatchObject({
      kind: 'behind',
      reason: 'local_changes',
    });
    fixture.git('restore', '.');
    fixture.write({ '.git/index.lock': '' });
    expect(await commit(fixture, { 'plan.md': 'b\n' })).toMatchObject({
      kind: 'behind',
      reason: 'index_locked',
    });
    fixture.write({ '.git/index.lock': undefined, '.git/MERGE_HEAD': `${head}\n` });
    expect(await commit(fixture, { 'plan.md': 'b\n' })).toMatchObject({
      kind: 'behind',
      reason: 'in_progress',
    });
    fixture.write({ '.git/MERGE_HEAD': undefined });
    expect([fixture.oid('HEAD'), status(fixture)]).toEqual([head, '']);
  });

  test('in a linked worktree it is that one that moves', async () => {
    const fixture = gitFixture();
    const head = fixture.commit('first', { 'plan.md': 'a\n' });
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', '-b', 'other', linked);
    expect(await commit(fixture, { 'plan.md': 'b\n' }, linked)).toMatchObject({ kind: 'committed' });
    expect([fixture.oid('HEAD'), readFileSync(join(fixture.dir, 'plan.md'), 'utf8')]).toEqual([head, 'a\n']);
    expect(readFileSync(join(linked, 'plan.md'), 'utf8')).toBe('b\n');
    expect([status(fixture), status(fixture, linked)]).toEqual(['', '']);
  });
});
