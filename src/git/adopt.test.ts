import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { addChangeIds, findOwnCommits } from './adopt.ts';

const id = (digit: string) => `I${digit.repeat(40)}`;

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
