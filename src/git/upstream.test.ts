import { existsSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { listWorktreeFiles, readWorktreeFiles } from './list-files.ts';
import { askRemote, lacks, upstreamOf } from './upstream.ts';

/** A repository that follows a bare remote, and the path of that. */
function following() {
  const fixture = gitFixture();
  fixture.commit('first', { 'a.txt': '1' });
  const remote = join(fixture.top, 'remote.git');
  fixture.git('clone', '--quiet', '--bare', fixture.dir, remote);
  fixture.git('remote', 'add', 'origin', remote);
  fixture.git('fetch', '--quiet');
  fixture.git('branch', '--quiet', '--set-upstream-to=origin/trunk');
  return { fixture, remote };
}

describe('where an upstream is', () => {
  test('is asked without fetching, and a commit that is not here counts as lacking', async () => {
    const { fixture, remote } = following();
    const repo = await fixture.open();
    const head = fixture.oid('HEAD');
    const upstream = await upstreamOf(repo, 'trunk');
    if (!upstream) throw new Error('no upstream');
    expect(upstream).toEqual({ remote: 'origin', ref: 'refs/heads/trunk', known: head });
    expect(await askRemote(repo, upstream, 10_000)).toBe(head);
    const other = join(fixture.top, 'other');
    fixture.git('clone', '--quiet', remote, other);
    const newer = fixture.commit('second', { 'b.txt': '2' }, other);
    fixture.gitIn(other, 'push', '--quiet');
    expect(await askRemote(repo, upstream, 10_000)).toBe(newer);
    expect([fixture.oid('origin/trunk'), existsSync(join(fixture.dir, '.git/FETCH_HEAD'))]).toEqual([
      head,
      true,
    ]);
    expect(await lacks(repo, head, newer)).toBe(true);
    fixture.git('fetch', '--quiet');
    expect(await lacks(repo, head, newer)).toBe(true);
    expect(await lacks(repo, newer, head)).toBe(false);
  });

  test('a remote that is gone, and one that never answers, are no failure', async () => {
    const { fixture, remote } = following();
    const repo = await fixture.open();
    const upstream = { remote: 'origin', ref: 'refs/heads/trunk', known: undefined };
    renameSync(remote, `${remote}.away`);
    expect(await askRemote(repo, upstream, 10_000)).toBeUndefined();
    // It takes the call and says nothing.
    const server = createServer(() => undefined);
    onTestFinished(() => void server.close());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    server.unref();
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    fixture.git('remote', 'set-url', 'origin', `git://127.0.0.1:${port}/x`);
    expect(await askRemote(repo, upstream, 300)).toBeUndefined();
  });

  test('a branch without one has none', async () => {
    const { fixture } = following();
    fixture.git('branch', 'free');
    const repo = await fixture.open();
    expect(await upstreamOf(repo, 'free')).toBeUndefined();
  });
});

test('files are listed as git sees them, and read only where they lie in the worktree themselves', async () => {
  const fixture = gitFixture();
  const outside = join(fixture.top, 'outside');
  fixture.git('init', '--quiet', outside);
  writeFileSync(join(outside, 'secret.md'), 'secret');
  fixture.write({
    '.gitignore': '*.log\n',
    'plans/a.md': 'a',
    'plans/b.log': 'b',
    'other/c.md': 'c',
    'plans/d\n.md': 'd',
  });
  symlinkSync(join(outside, 'secret.md'), join(fixture.dir, 'plans/link.md'));
  fixture.commit('first', {});
  fixture.write({ 'plans/new.md': 'n' });
  const repo = await fixture.open();
  const paths = await listWorktreeFiles(repo, fixture.dir, ['plans']);
  expect(paths).toEqual(['plans/a.md', 'plans/d\n.md', 'plans/link.md', 'plans/new.md']);
  expect(await listWorktreeFiles(repo, fixture.dir, ['plans', ''])).toHaveLength(6);
  const read = (wanted: string[]) => readWorktreeFiles(fixture.dir, wanted).map(({ path }) => path);
  expect(read(paths)).toEqual(['plans/a.md', 'plans/d\n.md', 'plans/new.md']);
  // A folder that was replaced by a link to another place.
  renameSync(join(fixture.dir, 'plans'), join(outside, 'plans'));
  symlinkSync(join(outside, 'plans'), join(fixture.dir, 'plans'));
  expect(readdirSync(join(fixture.dir, 'plans'))).toContain('a.md');
  expect(read(paths)).toEqual([]);
});
