import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { findLeftovers } from './leftovers.ts';
import { listWorktrees } from './list-worktrees.ts';
import { worktreeStatus } from './worktree-files.ts';
import { addWorktree, fillWorktree, registerWorktree, removeWorktree, repairWorktree } from './worktrees.ts';

const ODD = { '-dash': '1', 'naïve.txt': '2', 'quo"te': '3', 'new\nline': '4', 'sp ace/ü ü': '5' };

describe('worktrees', () => {
  test('32 made at once: all there, none half made', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { a: '1', 'd/b': '2' });
    const repo = await fixture.open();
    let turn: Promise<unknown> = Promise.resolve();
    const add = async (n: number) => {
      const input = { path: join(fixture.top, `w${n}`), branch: `stream/${n}`, oid };
      const registered = turn.then(() => registerWorktree(repo, input));
      turn = registered.catch(() => {});
      await registered;
      await fillWorktree(repo, input);
    };
    await Promise.all(Array.from({ length: 32 }, (_, n) => add(n)));
    const worktrees = await listWorktrees(repo);
    expect(worktrees).toHaveLength(33);
    for (const { path } of worktrees) expect((await worktreeStatus(repo, path)).clean).toBe(true);
    expect(findLeftovers(repo, Date.now())).toEqual([]);
  });

  test('keep hostile names apart from options', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', ODD);
    const repo = await fixture.open();
    const path = join(fixture.top, '--force ü\n"x"');
    await addWorktree(repo, { path, branch: 'stream/ü', oid });
    expect(await listWorktrees(repo)).toMatchObject([
      { path: fixture.dir },
      { path, branch: 'stream/ü', head: oid },
    ]);
    for (const [name, content] of Object.entries(ODD))
      expect(readFileSync(join(path, name), 'utf8')).toBe(content);
    await removeWorktree(repo, path);
    expect(existsSync(path)).toBe(false);
  });

  test('sparse ones hold only their directories', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { top: '0', 'a/x': '1', 'b/y': '2', 'c ü/z': '3' });
    const repo = await fixture.open();
    const path = join(fixture.top, 'sparse');
    await addWorktree(repo, { path, branch: 's', oid, sparsePaths: ['a/x', 'c ü'] });
    expect(['top', 'a/x', 'b/y', 'c ü/z'].filter((file) => existsSync(join(path, file)))).toEqual([
      'top',
      'a/x',
      'c ü/z',
    ]);
    expect((await worktreeStatus(repo, path)).clean).toBe(true);
    expect((await worktreeStatus(repo, fixture.dir)).clean).toBe(true);
  });

  test('a branch that is elsewhere is not taken, a dirty one is not removed, filling twice changes nothing', async () => {
    const fixture = gitFixture();
    const one = fixture.commit('first', { a: '1' });
    const two = fixture.commit('second', { a: '2' });
    const repo = await fixture.open();
    fixture.git('branch', 'taken', one);
    const path = join(fixture.top, 'w');
    await expect(registerWorktree(repo, { path, branch: 'taken', oid: two })).rejects.toMatchObject({
      code: 'stale',
    });
    await addWorktree(repo, { path, branch: 'taken', oid: one });
    fixture.write({ a: 'edited' }, path);
    await fillWorktree(repo, { path });
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('edited');
    await expect(removeWorktree(repo, path)).rejects.toMatchObject({ code: 'worktree_dirty' });
    await removeWorktree(repo, path, { force: true });
    expect(await listWorktrees(repo)).toHaveLength(1);
  });

  test('what died half way is reported, and a moved one can be repaired', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { a: '1' });
    const repo = await fixture.open();
    const [empty, gone, busy, moved] = ['empty', 'gone', 'busy', 'moved'].map((name) =>
      join(fixture.top, name),
    );
    for (const path of [empty, gone, busy, moved])
      await registerWorktree(repo, { path: path ?? '', branch: path?.split('/').at(-1) ?? '', oid });
    for (const path of [gone, busy, moved]) await fillWorktree(repo, { path: path ?? '' });
    rmSync(gone ?? '', { recursive: true });
    const git = join(fixture.dir, '.git');
    fixture.write(
      { 'refs/heads/x.lock': '', 'worktrees/busy/index.lock': '', 'worktrees/busy/MERGE_HEAD': oid },
      git,
    );
    const found = findLeftovers(repo, Date.now());
    expect(found).toMatchObject([
      { kind: 'lock', path: join(git, 'refs/heads/x.lock') },
      { kind: 'lock', path: join(git, 'worktrees/busy/index.lock') },
      { kind: 'interrupted', worktree: busy, operation: 'merge' },
      { kind: 'half_made_worktree', worktree: empty, reason: 'no_files' },
      { kind: 'half_made_worktree', worktree: gone, reason: 'no_directory' },
    ]);
    await repairWorktree(repo, moved ?? '');
  });
});
