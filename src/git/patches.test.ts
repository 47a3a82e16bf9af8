import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { measurePatches, patchBetween, patchesOf } from './patches.ts';

const NINE = '1\n2\n3\n4\n5\n6\n7\n8\n9\n';

describe('patches', () => {
  test('a patch keeps its id on another base and gets a new one with another line or other bytes', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: NINE, bin: Buffer.from([0]) });
    const other = fixture.commit('other', { z: '1\n', f: `0\n${NINE}` });
    fixture.branchFrom('x', base);
    const x = fixture.commit('x', { f: NINE.replace('7', 'X') });
    fixture.git('checkout', '--quiet', '--detach', other);
    fixture.git('cherry-pick', x);
    const moved = fixture.oid('HEAD');
    const repo = await fixture.open();
    const { patchId } = await patchBetween(repo, base, x);
    expect(patchId).toMatch(/^[0-9a-f]{40}$/);
    expect((await patchBetween(repo, other, moved)).patchId).toBe(patchId);
    expect(await patchBetween(repo, base, base)).toEqual({ patchId: '', paths: [] });
    const one = fixture.commit('b1', { bin: Buffer.from([0, 1]) });
    const two = fixture.commit('b2', { bin: Buffer.from([0, 2]) });
    const [first, second] = [await patchBetween(repo, moved, one), await patchBetween(repo, moved, two)];
    expect(first.patchId).not.toBe(second.patchId);
    const each = await patchesOf(repo, [x, moved, base]);
    expect(each.map((patch) => patch.patchId === patchId)).toEqual([true, true, false]);
    expect(each[2]?.paths).toEqual(['bin', 'f']);
  });

  test('commits and the whole are told apart, also where they are the same, empty or merges', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1\n' });
    const one = fixture.commit('one', { a: '2\n', b: '1\n' });
    const back = fixture.commit('back', { a: '1\n', b: undefined });
    fixture.git('commit', '--quiet', '--allow-empty', '-m', 'empty');
    const empty = fixture.oid('HEAD');
    fixture.branchFrom('side', base);
    fixture.commit('side', { s: '1\n' });
    fixture.git('merge', '--quiet', '--no-edit', empty);
    const merge = fixture.oid('HEAD');
    const repo = await fixture.open();
    const { patches, whole } = await measurePatches(repo, [one, back, empty, merge], { base, head: back });
    expect(patches.map(({ paths }) => paths)).toEqual([['a', 'b'], ['a', 'b'], [], []]);
    expect(whole).toEqual({ patchId: '', paths: [] });
    const last = await measurePatches(repo, [back], { base: one, head: back });
    expect(last.whole).toEqual(last.patches[0]);
  });

  test('names and contents that look like the next answer are read as what they are', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { plain: '1\n' });
    const id = base;
    const name = `n\n${id}`;
    const long = 'x'.repeat(9000);
    const files = { [name]: '1\n', 'ü "b\\': 'x\n', late: `${long}\n${id}\0:100644\n`, ':colon': '\n' };
    const head = fixture.commit('odd', files);
    const next = fixture.commit('next', { plain: '2\n' });
    const repo = await fixture.open();
    const patches = await patchesOf(repo, [head, next]);
    expect(patches.map(({ paths }) => paths)).toEqual([Object.keys(files).sort(), ['plain']]);
    expect(patches[1]?.patchId).toBe((await patchBetween(repo, head, next)).patchId);
  });
});
