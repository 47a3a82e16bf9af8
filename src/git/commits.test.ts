import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ada, gitFixture } from '../../test/support/git-fixture.ts';
import { aheadBehind, isAncestor, listCommits, mergeBase, readCommit, writeCommit } from './commits.ts';
import { identity, readConfig } from './config.ts';
import { readBlob, writeBlob } from './objects.ts';
import { formatSignature, parseSignature } from './person.ts';

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

  test('the reader starts anew after it was closed', async () => {
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
