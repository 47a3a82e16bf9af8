import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixtureEnv, type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { headOf } from './head.ts';
import { prepareRefs } from './prepare-refs.ts';
import { branchRef, checkRefName, isRefName } from './ref-name.ts';
import { findRef, listRefs, resolveRefs, updateRefs } from './refs.ts';

function threeCommits(fixture: GitFixture): [string, string, string] {
  return [fixture.commit('1', { a: '1' }), fixture.commit('2', { a: '2' }), fixture.commit('3', { a: '3' })];
}

describe.each([{ longLived: false }, { longLived: true }])(
  'moving refs (long-lived: $longLived)',
  (options) => {
    test('creates, moves and deletes in one transaction', async () => {
      const fixture = gitFixture();
      const [one, two] = threeCommits(fixture);
      const repo = await fixture.open(options);
      const create = [
        { ref: 'refs/heads/a', old: null, new: one },
        { ref: 'refs/gitswarm/x', old: null, new: one },
      ];
      expect(await updateRefs(repo, create, 'create')).toEqual({ kind: 'moved' });
      const change = [
        { ref: 'refs/heads/a', old: one, new: two },
        { ref: 'refs/gitswarm/x', old: one, new: null },
      ];
      expect(await updateRefs(repo, change, 'change')).toEqual({ kind: 'moved' });
      expect(await findRef(repo, 'refs/heads/a')).toBe(two);
      expect(await findRef(repo, 'refs/gitswarm/x')).toBeUndefined();
      expect(fixture.git('reflog', 'refs/heads/a')).toContain('change');
    });

    test('is lost when one of them is elsewhere, and then none moves', async () => {
      const fixture = gitFixture();
      const [one, two, three] = threeCommits(fixture);
      const repo = await fixture.open(options);
      fixture.git('branch', 'a', one);
      fixture.git('branch', 'b', two);
      const updates = [
        { ref: 'refs/heads/a', old: one, new: three },
        { ref: 'refs/heads/b', old: one, new: three },
      ];
      expect(await updateRefs(repo, updates, 'x')).toMatchObject({
        kind: 'lost',
        message: expect.stringContaining(two),
      });
      expect(await findRef(repo, 'refs/heads/a')).toBe(one);
      const exists = await updateRefs(repo, [{ ref: 'refs/heads/a', old: null, new: three }], 'x');
      expect(exists.kind).toBe('lost');
      const gone = await updateRefs(repo, [{ ref: 'refs/heads/c', old: one, new: three }], 'x');
      expect(gone.kind).toBe('lost');
      // After a lost race the next transaction works.
      const next = [{ ref: 'refs/heads/a', old: one, new: three }];
      expect(await updateRefs(repo, next, 'x')).toEqual({ kind: 'moved' });
    });

    test('a lock that somebody holds is busy and named', async () => {
      const fixture = gitFixture();
      const [one, two] = threeCommits(fixture);
      fixture.git('branch', 'a', one);
      const lock = join(fixture.dir, '.git/refs/heads/a.lock');
      writeFileSync(lock, '');
      const repo = await fixture.open(options);
      const attempt = updateRefs(repo, [{ ref: 'refs/heads/a', old: one, new: two }], 'x');
      await expect(attempt).rejects.toMatchObject({ code: 'busy', details: { lockFile: lock } });
    });

    test('an id of nothing is refused with git words', async () => {
      const fixture = gitFixture();
      const [one] = threeCommits(fixture);
      fixture.git('branch', 'a', one);
      const repo = await fixture.open(options);
      const attempt = updateRefs(repo, [{ ref: 'refs/heads/a', old: one, new: 'd'.repeat(40) }], 'x');
      await expect(attempt).rejects.toMatchObject({ code: 'git_failed' });
      expect(await findRef(repo, 'refs/heads/a')).toBe(one);
    });

    test('many rivals: each increment is made exactly once', async () => {
      const fixture = gitFixture();
      const start = fixture.commit('start', { a: '0' });
      fixture.git('branch', 'counter', start);
      const tree = fixture.tree(start);
      const repos = await Promise.all([1, 2, 3].map(() => fixture.open(options)));
      const ref = 'refs/heads/counter';
      const add = async (repo: (typeof repos)[number], name: string) => {
        for (;;) {
          const old = (await findRef(repo, ref)) ?? '';
          const next = fixture.git('commit-tree', '-p', old, '-m', name, tree);
          const result = await updateRefs(repo, [{ ref, old, new: next }], 'add').catch(() => undefined);
          if (result?.kind === 'moved') return;
        }
      };
      await Promise.all(repos.flatMap((repo, i) => [0, 1, 2].map((j) => add(repo, `${i}-${j}`))));
      expect(fixture.git('rev-list', '--count', `${start}..counter`)).toBe('9');
    });
  },
);

describe('a ref somebody stands on', () => {
  test('never moves alone: main checkout, linked worktree, running rebase', async () => {
    const fixture = gitFixture();
    const [one, two, three] = threeCommits(fixture);
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', '-b', 'agent', linked, two);
    const repo = await fixture.open();
    const refused = (ref: string, old: string) =>
      expect(updateRefs(repo, [{ ref, old, new: one }], 'x')).rejects.toMatchObject({
        code: 'target_checked_out',
      });
    await refused('refs/heads/trunk', three);
    await refused('refs/heads/agent', two);
    fixture.commit('mine', { a: 'mine' }, linked);
    expect(fixture.tryGit(linked, 'rebase', three).status).not.toBe(0);
    expect((await headOf(repo, linked)).kind).toBe('detached');
    await refused('refs/heads/agent', fixture.oid('agent'));
    const prepare = prepareRefs(repo, [{ ref: 'refs/heads/trunk', old: three, new: one }], 'x');
    await expect(prepare).rejects.toMatchObject({ code: 'target_checked_out' });
  });

  test('in a bare repository HEAD is no checkout', async () => {
    const fixture = gitFixture();
    const [one, , three] = threeCommits(fixture);
    const bare = join(fixture.top, 'bare');
    fixture.git('clone', '--quiet', '--bare', fixture.dir, bare);
    const repo = await fixture.open({ dir: bare });
    const back = [{ ref: 'refs/heads/trunk', old: three, new: one }];
    expect(await updateRefs(repo, back, 'x')).toEqual({ kind: 'moved' });
  });
});

describe('prepared refs', () => {
  test('keep every rival out until they are committed, a plain git commit included', async () => {
    const fixture = gitFixture();
    const [one, two, three] = threeCommits(fixture);
    const linked = join(fixture.top, 'linked');
    fixture.git('worktree', 'add', '--quiet', '-b', 'agent', linked, one);
    const repo = await fixture.open();
    const updates = [{ ref: 'refs/heads/agent', old: one, new: two }];
    const prepared = await prepareRefs(repo, updates, 'x', { withCheckout: true });
    if (prepared.kind !== 'prepared') throw new Error(prepared.message);
    fixture.write({ b: 'agent' }, linked);
    fixture.gitIn(linked, 'add', '--all');
    expect(fixture.tryGit(linked, 'commit', '-m', 'mine').status).not.toBe(0);
    const rival = prepareRefs(repo, [{ ref: 'refs/heads/agent', old: one, new: three }], 'x', {
      withCheckout: true,
    });
    await expect(rival).rejects.toMatchObject({ code: 'busy' });
    await prepared.commit();
    expect(fixture.oid('agent')).toBe(two);
  });

  test('can be given up', async () => {
    const fixture = gitFixture();
    const [one, two] = threeCommits(fixture);
    fixture.git('branch', 'a', one);
    const repo = await fixture.open();
    const prepared = await prepareRefs(repo, [{ ref: 'refs/heads/a', old: one, new: two }], 'x');
    if (prepared.kind !== 'prepared') throw new Error(prepared.message);
    await prepared.abort();
    expect(fixture.oid('a')).toBe(one);
    expect(existsSync(join(fixture.dir, '.git/refs/heads/a.lock'))).toBe(false);
    const late = await prepareRefs(repo, [{ ref: 'refs/heads/a', old: two, new: one }], 'x');
    expect(late.kind).toBe('lost');
  });

  test('are let go when our process is killed', async () => {
    const fixture = gitFixture();
    const [one, two] = threeCommits(fixture);
    fixture.git('branch', 'a', one);
    const script = `
      import { openRepository } from '${new URL('./repository.ts', import.meta.url).pathname}';
      import { prepareRefs } from '${new URL('./prepare-refs.ts', import.meta.url).pathname}';
      const repo = await openRepository(process.argv[1], { inheritedEnv: process.env });
      await prepareRefs(repo, [{ ref: 'refs/heads/a', old: process.argv[2], new: process.argv[3] }], 'x');
      process.stdout.write('ready');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, fixture.dir, one, two], {
      env: fixtureEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const lock = join(fixture.dir, '.git/refs/heads/a.lock');
    expect(existsSync(lock)).toBe(true);
    child.kill('SIGKILL');
    await gone;
    await expect.poll(() => existsSync(lock)).toBe(false);
    expect(fixture.oid('a')).toBe(one);
  });
});

describe('reading refs', () => {
  test('lists by prefix and resolves names, ids and nothing', async () => {
    const fixture = gitFixture();
    const [one, two, three] = threeCommits(fixture);
    fixture.git('update-ref', 'refs/heads/stream/a', one);
    fixture.git('tag', '-a', '-m', 'green', 'green/1', two);
    const repo = await fixture.open();
    const refs = await listRefs(repo, ['refs/heads/stream/', 'refs/tags/green']);
    expect(refs).toMatchObject([
      { name: 'refs/heads/stream/a', oid: one, subject: '1' },
      { name: 'refs/tags/green/1', peeled: two, type: 'tag' },
    ]);
    const names = ['trunk', 'green/1', one, '--git-dir', '-x', '', 'a\nb', 'HEAD^{tree}', 'nothing'];
    const found = await resolveRefs(repo, names);
    expect([...found.values()]).toEqual([three, two, one, ...Array(6).fill(undefined)]);
    fixture.git('pack-refs', '--all');
    expect(await findRef(repo, 'refs/heads/stream/a')).toBe(one);
  });

  test('full names only: what git would call malformed, we refuse', async () => {
    for (const name of [
      'main',
      '--help',
      'refs/heads/',
      'refs/heads/a..b',
      'refs/heads/.a',
      'refs/heads/a.lock',
    ]) {
      expect(() => checkRefName(name)).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
    for (const branch of ['-f', '--force', 'HEAD', 'a b', '']) {
      expect(() => branchRef(branch)).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
    expect(branchRef('stream/ünïcode')).toBe('refs/heads/stream/ünïcode');
  });

  test('the rule for names is the one of git check-ref-format', () => {
    const fixture = gitFixture();
    const part = fc.string({
      unit: fc.constantFrom(...'ab.~^:?*[\\@{ -/\u007fü'),
      minLength: 0,
      maxLength: 8,
    });
    const special = fc.constantFrom('a.lock', '@', 'a..b', '@{', '.a', 'a.', 'a//b', '-a');
    fc.assert(
      fc.property(fc.oneof(part, special), (text) => {
        const name = `refs/heads/${text}`;
        expect(isRefName(name)).toBe(fixture.tryGit(fixture.dir, 'check-ref-format', name).status === 0);
      }),
      { numRuns: 80 },
    );
  });
});

test('two programs that fight for one ref: one wins, the other hears of it', async () => {
  const fixture = gitFixture();
  const [one, two, three] = threeCommits(fixture);
  fixture.git('branch', 'a', one);
  const script = `
    import { openRepository } from '${new URL('./repository.ts', import.meta.url).pathname}';
    import { updateRefs } from '${new URL('./refs.ts', import.meta.url).pathname}';
    const [dir, old, to] = process.argv.slice(1);
    const repo = await openRepository(dir, { inheritedEnv: process.env });
    const done = await updateRefs(repo, [{ ref: 'refs/heads/a', old, new: to }], 'x');
    process.stdout.write(done.kind);`;
  const run = (to: string) =>
    new Promise<string>((resolve) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, fixture.dir, one, to], {
        env: fixtureEnv,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
      });
      child.once('close', () => resolve(said));
    });
  const results = await Promise.all([run(two), run(three)]);
  expect(results.toSorted()).toEqual(['lost', 'moved']);
  expect(readFileSync(join(fixture.dir, '.git/refs/heads/a'), 'utf8').trim()).toBe(
    results[0] === 'moved' ? two : three,
  );
});
