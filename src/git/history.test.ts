import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ada, gitFixture } from '../../test/support/git-fixture.ts';
import { addChangeIds, findOwnCommits } from './adopt.ts';
import { type BisectStep, nextBisect, type Verdict } from './bisect.ts';
import { changeIdOf, isChangeId, newChangeId, trailersOf, withTrailers } from './change-id.ts';
import { aheadBehind, isAncestor, listCommits, mergeBase, readCommit, writeCommit } from './commits.ts';
import { identity, readConfig } from './config.ts';
import { changedPaths, diffStat, diffText, patchId, patchIds } from './diff.ts';
import { readBlob, writeBlob } from './objects.ts';
import { formatSignature, parseSignature } from './person.ts';

const id = (digit: string) => `I${digit.repeat(40)}`;

describe('Change-Ids', () => {
  test('are long enough never to meet, and read back from a message', () => {
    const fresh = newChangeId();
    expect(isChangeId(fresh)).toBe(true);
    expect(changeIdOf(withTrailers('subject\n\nbody', { 'Change-Id': fresh }))).toBe(fresh);
    expect(changeIdOf(`subject\n\nsee Change-Id: ${fresh} for more`)).toBeUndefined();
    expect(changeIdOf('subject\n\nChange-Id: Iabc')).toBeUndefined();
  });

  test.each([
    ['subject', `subject\n\nChange-Id: ${id('1')}\n`],
    ['fix: subject', `fix: subject\n\nChange-Id: ${id('1')}\n`],
    ['s\n\nbody\n\nSigned-off-by: A <a@b>', `s\n\nbody\n\nSigned-off-by: A <a@b>\nChange-Id: ${id('1')}\n`],
    [`s\n\nChange-Id: ${id('2')}\nX: y`, `s\n\nX: y\nChange-Id: ${id('1')}\n`],
    ['s\n\nno: trailer\nhere it is', `s\n\nno: trailer\nhere it is\n\nChange-Id: ${id('1')}\n`],
  ])('are added to %j', (message, expected) => {
    expect(withTrailers(message, { 'Change-Id': id('1') })).toBe(expected);
  });

  test('trailers are those of git interpret-trailers, and cannot be forged', () => {
    const fixture = gitFixture();
    const message = withTrailers('subject\n\nbody', { 'GitSwarm-Stream': 's-3fxa', 'Change-Id': id('1') });
    fixture.commit(message, { a: '1' });
    expect(fixture.git('log', '-1', '--format=%(trailers:only)')).toBe(
      trailersOf(message)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    );
    for (const [name, value] of [
      ['A', 'x\nB: y'],
      ['A B', 'x'],
      ['', 'x'],
    ]) {
      expect(() => withTrailers('s', { [name ?? '']: value })).toThrow(
        expect.objectContaining({ code: 'invalid' }),
      );
    }
  });
});

describe('commits and objects', () => {
  test('are what git would have written, for any name and message', async () => {
    const fixture = gitFixture();
    const parent = fixture.commit('first', { a: '1' });
    const repo = await fixture.open();
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((each) => !each.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, text, async (name, message) => {
        let oid: string;
        try {
          oid = writeCommit(repo, {
            tree: fixture.tree(parent),
            parents: [parent],
            message,
            author: { ...ada, name },
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid' });
          return;
        }
        const back = await readCommit(repo, oid);
        expect(back.message.trimEnd()).toBe(message.trimEnd());
        fixture.git('update-ref', 'refs/test/last', oid);
        fixture.git('fsck', '--strict', '--no-dangling', '--no-progress', oid);
      }),
      { numRuns: 25 },
    );
  });

  test('files are read and written byte by byte, whatever their name', async () => {
    const fixture = gitFixture();
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    const names = ['-x', 'naïve', 'a "q"', 'new\nline', 'd/e/f'];
    const oid = fixture.commit('odd', Object.fromEntries(names.map((name) => [name, bytes])));
    const repo = await fixture.open();
    for (const name of names) expect(await readBlob(repo, oid, name)).toEqual(bytes);
    for (const name of ['none', 'd', '', '../x', './d/e/f', 'd/none'])
      expect(await readBlob(repo, oid, name)).toBeUndefined();
    const big = Buffer.alloc(2 * 1024 ** 2, 'x');
    for (const content of [bytes, big]) {
      const blob = await writeBlob(repo, content);
      expect(fixture.git('cat-file', '-s', blob)).toBe(String(content.length));
      expect((await repo.objects.object(blob))?.content.equals(content)).toBe(true);
    }
  });

  test('are listed oldest first, with and without merges', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1' });
    fixture.branchFrom('x', base);
    const x = fixture.commit('x', { x: '1' });
    fixture.branchFrom('y', base);
    const y = fixture.commit('y', { y: '1' });
    fixture.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'x');
    const head = fixture.oid('HEAD');
    const repo = await fixture.open();
    const list = async (from: string, notIn: string[]) =>
      (await listCommits(repo, { from, notIn })).map(({ oid }) => oid);
    expect(await list(y, [base])).toEqual([y]);
    expect(await list(base, [base])).toEqual([]);
    expect((await list(head, [base])).toSorted()).toEqual([x, y, head].toSorted());
    expect((await list(head, [base])).at(-1)).toBe(head);
    expect(await list(head, [x, y])).toEqual([head]);
    expect(await list(x, [])).toEqual([base, x]);
    expect(await mergeBase(repo, x, y)).toBe(base);
    expect(await isAncestor(repo, x, head)).toBe(true);
    expect(await isAncestor(repo, head, x)).toBe(false);
    expect(await aheadBehind(repo, head, x)).toEqual({ ahead: 2, behind: 0 });
    await expect(readCommit(repo, 'd'.repeat(40))).rejects.toMatchObject({ code: 'not_found' });
  });

  test('the reader starts anew when its process is killed', async () => {
    const fixture = gitFixture();
    const oid = fixture.commit('first', { a: '1' });
    const repo = await fixture.open();
    await repo.objects.head(oid);
    await repo.objects.close();
    expect((await repo.objects.head(oid))?.type).toBe('commit');
  });

  test('signatures read back, and a name git cannot keep is refused', () => {
    expect(parseSignature(formatSignature(ada))).toEqual(ada);
    expect(formatSignature({ ...ada, name: 'A <b>\nc' })).toBe('A bc <ada@example.org> 1700000000 +0100');
    for (const name of ['', ' ', '<>', '...'])
      expect(() => formatSignature({ ...ada, name })).toThrow('author');
  });

  test('the identity is the environment’s, then the configuration’s, then nobody’s', async () => {
    const fixture = gitFixture();
    expect(await identity(await fixture.open())).toEqual({ name: 'Carl', email: 'carl@example.org' });
    const plain = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const repo = await fixture.open({ inheritedEnv: plain });
    expect(await identity(repo)).toBeUndefined();
    fixture.git('config', 'user.name', 'Dora');
    fixture.git('config', 'user.email', 'dora@example.org');
    expect(await identity(repo)).toEqual({ name: 'Dora', email: 'dora@example.org' });
    expect(await readConfig(repo, 'user.name')).toBe('Dora');
    expect(await readConfig(repo, 'user.none')).toBeUndefined();
  });
});

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

describe('adopting plain commits', () => {
  test('gives each its own Change-Id, rewrites only what is ours, and keeps trees, dates and merges', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1' });
    const has = fixture.commit(`has one\n\nChange-Id: ${id('1')}`, { b: '1' });
    fixture.branchFrom('side', has);
    const side = fixture.commit('side', { s: '1' });
    fixture.branchFrom('main', has);
    const plain = fixture.commit('plain', { c: '1' });
    fixture.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'side');
    const head = fixture.commit(`copied\n\nChange-Id: ${id('1')}`, { d: '1' });
    const repo = await fixture.open();
    const result = await addChangeIds(repo, { base, head });
    const own = await findOwnCommits(repo, { base, head: result.head });
    expect(own[0]?.oid).toBe(has);
    expect(new Set(own.map(({ changeId }) => changeId)).size).toBe(5);
    expect(result.rewritten.map(({ old }) => old)).toEqual(expect.arrayContaining([side, plain, head]));
    expect(result.rewritten).toHaveLength(4);
    expect(fixture.tree(result.head)).toBe(fixture.tree(head));
    expect(fixture.git('rev-list', '--count', '--merges', `${base}..${result.head}`)).toBe('1');
    expect(await addChangeIds(repo, { base, head: result.head })).toEqual({
      head: result.head,
      rewritten: [],
    });
    const published = await addChangeIds(repo, { base, head, notIn: [plain, side] });
    expect(published.rewritten.map(({ old }) => old)).not.toContain(plain);
  });
});

describe('the search for a culprit', () => {
  test('finds it for any place, any number of runners, within the rounds it promises', () => {
    const input = fc.record({
      landings: fc.integer({ min: 1, max: 60 }),
      runners: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(input, ({ landings, runners, seed }) => {
        const culprit = (seed % landings) + 1;
        const verdicts = new Map<number, Verdict>();
        let step: BisectStep = nextBisect({ landings, verdicts, runners });
        let rounds = 0;
        for (; step.kind === 'test'; step = nextBisect({ landings, verdicts, runners })) {
          expect(step.prefixes.length).toBeGreaterThan(0);
          expect(step.prefixes.length).toBeLessThanOrEqual(runners);
          expect(new Set(step.prefixes).size).toBe(step.prefixes.length);
          for (const prefix of step.prefixes) {
            expect(verdicts.has(prefix)).toBe(false);
            verdicts.set(prefix, prefix >= culprit ? 'red' : 'green');
          }
          rounds++;
        }
        expect(step).toEqual({ kind: 'culprit', landing: culprit });
        expect(rounds).toBeLessThanOrEqual(2 + Math.ceil(Math.log(landings) / Math.log(runners + 1)));
      }),
    );
  });

  test('keeps runners busy beside running tests, and knows when nobody is to blame', () => {
    const red = new Map<number, Verdict>([[8, 'red']]);
    expect(nextBisect({ landings: 8, verdicts: red, running: [4], runners: 3 })).toEqual({
      kind: 'test',
      prefixes: [2, 6],
    });
    expect(nextBisect({ landings: 8, verdicts: red, running: [2, 4, 6], runners: 3 })).toEqual({
      kind: 'test',
      prefixes: [],
    });
    expect(nextBisect({ landings: 8, verdicts: new Map([[8, 'green']]), runners: 1 })).toEqual({
      kind: 'green',
    });
    expect(nextBisect({ landings: 0, verdicts: new Map(), runners: 1 })).toEqual({ kind: 'green' });
    expect(nextBisect({ landings: 3, verdicts: new Map([[0, 'red']]), runners: 1 })).toEqual({
      kind: 'baseline_red',
    });
  });
});
