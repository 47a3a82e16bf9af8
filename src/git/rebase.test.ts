import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ada, type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { readCommit, readCommits } from './commits.ts';
import { mergeCommits, mergeTrees } from './merge.ts';
import { rebaseCommits } from './rebase.ts';
import { reapply, revertMerge } from './revert.ts';

const LINES = ['1', '2', '3', '4', '5', '6', '7', '8'];
const body = (change: Record<number, string> = {}) =>
  `${LINES.map((line, i) => change[i] ?? line).join('\n')}\n`;
let counter = 0;

/** A detached worktree at a commit, to do there what we compare ourselves with. */
function scratchWorktree(fixture: GitFixture, at: string): string {
  const dir = join(fixture.top, `real-${counter++}`);
  fixture.git('worktree', 'add', '--quiet', '--detach', dir, at);
  return dir;
}

function realRebase(
  fixture: GitFixture,
  range: { onto: string; from: string; to: string },
  ...options: string[]
) {
  const dir = scratchWorktree(fixture, range.to);
  const { status } = fixture.tryGit(dir, 'rebase', '--quiet', ...options, '--onto', range.onto, range.from);
  return status === 0 ? fixture.oid('HEAD', dir) : undefined;
}

describe('a rebase in memory', () => {
  test('keeps author, date, message and Change-Id, and gives the tree of git rebase', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: body() });
    const onto = fixture.commit('onto', { f: body({ 0: 'onto' }), other: '1\n' });
    fixture.branchFrom('side', base);
    const one = fixture.commit(`ünï\n\nbody\n\nChange-Id: I${'1'.repeat(40)}`, { f: body({ 4: 'one' }) });
    const to = fixture.commit('two', { f: body({ 4: 'one', 7: 'two' }) });
    const repo = await fixture.open();
    const result = await rebaseCommits(repo, { from: base, to, onto, policy: 'defer' });
    if (result.kind !== 'rebased') throw new Error(result.kind);
    const real = realRebase(fixture, { onto, from: base, to }) ?? '';
    expect(fixture.tree(result.head)).toBe(fixture.tree(real));
    expect(result.rewritten.map(({ old }) => old)).toEqual([one, to]);
    const before = await readCommits(repo, [one, to]);
    const after = await readCommits(
      repo,
      result.rewritten.map((pair) => pair.new),
    );
    for (const [i, commit] of after.entries()) {
      const { author, committer, message, changeId } = before[i] ?? commit;
      expect(commit).toMatchObject({ author, committer, message, changeId });
    }
    const again = await rebaseCommits(repo, { from: base, to, onto, policy: 'defer' });
    expect(again).toEqual(result);
  });

  test('drops what is there already, keeps what was empty from the start, and changes nothing needlessly', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: body() });
    const onto = fixture.commit('same change', { f: body({ 3: 'x' }) });
    fixture.branchFrom('side', base);
    const same = fixture.commit('same change, other commit', { f: body({ 3: 'x' }) });
    const empty = fixture.commit('empty on purpose', {});
    const to = fixture.commit('own', { g: '1\n' });
    const repo = await fixture.open();
    const result = await rebaseCommits(repo, { from: base, to, onto, policy: 'defer' });
    expect(result).toMatchObject({ kind: 'rebased', dropped: [same] });
    expect(result.kind === 'rebased' && result.rewritten.map(({ old }) => old)).toEqual([empty, to]);
    const still = await rebaseCommits(repo, { from: base, to, onto: base, policy: 'defer' });
    expect(still).toMatchObject({ kind: 'rebased', head: to, rewritten: [] });
    const nothing = await rebaseCommits(repo, { from: base, to: base, onto, policy: 'defer' });
    expect(nothing).toMatchObject({ kind: 'rebased', head: onto });
  });

  test('stops at a conflict with all sides and what it had done; a policy decides as git rebase -X', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: body(), gone: '1\n' });
    const onto = fixture.commit('onto', { f: body({ 1: 'onto', 6: 'clean' }) });
    fixture.branchFrom('side', base);
    const fine = fixture.commit('fine', { g: '1\n' });
    const at = fixture.commit('clash', { f: body({ 1: 'side', 4: 'clean too' }) });
    const to = fixture.commit('after', { h: '1\n' });
    const repo = await fixture.open();
    const result = await rebaseCommits(repo, { from: base, to, onto, policy: 'defer' });
    if (result.kind !== 'conflict') throw new Error(result.kind);
    expect(result).toMatchObject({
      at,
      files: [{ path: 'f', kind: 'content', base: {}, ours: {}, theirs: {} }],
    });
    expect(fixture.git('log', '-2', '--format=%s', result.partialHead)).toBe('fine\nonto');
    expect((await readCommit(repo, fine)).parents).toEqual([base]);
    for (const policy of ['ours', 'theirs'] as const) {
      const decided = await rebaseCommits(repo, { from: base, to, onto, policy });
      const real = realRebase(fixture, { onto, from: base, to }, '-X', policy) ?? '';
      expect(decided.kind === 'rebased' && fixture.tree(decided.head)).toBe(fixture.tree(real));
    }
  });

  test('a policy decides a file that was changed and deleted', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: '1\n', keep: '1\n' });
    const onto = fixture.commit('onto', { f: undefined });
    fixture.branchFrom('side', base);
    const to = fixture.commit('edit', { f: '2\n', g: '1\n' });
    const repo = await fixture.open();
    const names = async (policy: 'ours' | 'theirs') => {
      const result = await rebaseCommits(repo, { from: base, to, onto, policy });
      return fixture.git('ls-tree', '--name-only', result.kind === 'rebased' ? result.head : '');
    };
    expect(await names('ours')).toBe('g\nkeep');
    expect(await names('theirs')).toBe('f\ng\nkeep');
  });

  test('never makes a range with merges linear: the new base is merged in', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: body() });
    const onto = fixture.commit('onto', { f: body({ 0: 'onto' }) });
    fixture.branchFrom('x', base);
    fixture.commit('x', { x: '1\n' });
    fixture.branchFrom('side', base);
    fixture.commit('side', { f: body({ 7: 'side' }) });
    fixture.git('merge', '--quiet', '--no-ff', '-m', 'inner merge', 'x');
    const to = fixture.oid('side');
    const repo = await fixture.open();
    const result = await rebaseCommits(repo, { from: base, to, onto, policy: 'defer' });
    if (result.kind !== 'rebased') throw new Error(result.kind);
    expect(result).toMatchObject({ merged: true, rewritten: [] });
    expect(fixture.git('log', '-1', '--format=%P', result.head)).toBe(`${to} ${onto}`);
    const dir = scratchWorktree(fixture, to);
    fixture.gitIn(dir, 'merge', '--quiet', '-m', 'm', onto);
    expect(fixture.tree(result.head)).toBe(fixture.oid('HEAD^{tree}', dir));
    const again = await rebaseCommits(repo, { from: onto, to: result.head, onto, policy: 'defer' });
    expect(again).toMatchObject({ head: result.head });
  });
});

describe('taking a landing back', () => {
  async function landed() {
    const fixture = gitFixture();
    const base = fixture.commit('base', { f: body() });
    fixture.branchFrom('stream', base);
    const commits = [
      fixture.commit(`one\n\nChange-Id: I${'1'.repeat(40)}`, { f: body({ 1: 'one' }) }),
      fixture.commit(`two\n\nChange-Id: I${'2'.repeat(40)}`, { g: '1\n' }),
    ];
    fixture.git('switch', '--quiet', 'trunk');
    fixture.commit('other', { o: '1\n' });
    fixture.git('merge', '--quiet', '--no-ff', '-m', 'landing', 'stream');
    const merge = fixture.oid('HEAD');
    return { fixture, base, commits, merge, repo: await fixture.open() };
  }

  test('gives the tree of git revert, for a merge and for a plain commit', async () => {
    const { fixture, merge, commits, repo } = await landed();
    const tip = fixture.commit('later', { f: body({ 1: 'one', 6: 'later' }) });
    for (const [commit, ...options] of [[merge, '-m', '1'], [commits[0] ?? '']]) {
      const result = await revertMerge(repo, { tip, merge: commit ?? '', message: 'undo\n', author: ada });
      const dir = scratchWorktree(fixture, tip);
      fixture.gitIn(dir, 'revert', '--no-edit', ...options, commit ?? '');
      expect(result).toMatchObject({ kind: 'merged', tree: fixture.oid('HEAD^{tree}', dir) });
    }
  });

  test('directly after it, conflicting with later work, twice, and of the very first commit', async () => {
    const { fixture, base, merge, repo } = await landed();
    const undo = (tip: string, what: string) =>
      revertMerge(repo, { tip, merge: what, message: 'undo', author: ada });
    const first = await undo(merge, merge);
    expect(first).toMatchObject({ kind: 'merged', tree: fixture.tree(`${merge}^1`) });
    expect(await undo(first.kind === 'merged' ? first.commit : '', merge)).toEqual({ kind: 'up_to_date' });
    const tip = fixture.commit('on top', { f: body({ 1: 'on top of one' }) });
    expect(await undo(tip, merge)).toMatchObject({ kind: 'conflict', files: [{ path: 'f' }] });
    expect((await undo(base, base)).kind).toBe('merged');
  });

  test('a landing that was taken back can be applied again, with the same Change-Ids', async () => {
    const { fixture, commits, merge, repo } = await landed();
    const reverted = await revertMerge(repo, { tip: merge, merge, message: 'undo', author: ada });
    if (reverted.kind !== 'merged') throw new Error(reverted.kind);
    const merged = await mergeCommits(repo, {
      ours: reverted.commit,
      theirs: commits[1] ?? '',
      message: 'm',
      author: ada,
    });
    expect(merged.kind).toBe('up_to_date');
    const result = await reapply(repo, { tip: reverted.commit, commits });
    if (result.kind !== 'rebased') throw new Error(result.kind);
    expect(fixture.tree(result.head)).toBe(fixture.tree(merge));
    const ids = (
      await readCommits(
        repo,
        result.rewritten.map((pair) => pair.new),
      )
    ).map(({ changeId }) => changeId);
    expect(ids).toEqual([`I${'1'.repeat(40)}`, `I${'2'.repeat(40)}`]);
    const squashed = await reapply(repo, { tip: reverted.commit, commits: [merge] });
    expect(squashed.kind === 'rebased' && fixture.tree(squashed.head)).toBe(fixture.tree(merge));
  });
});

/** A commit of a random history: which line of which file it changes, or a file it adds or deletes. */
const step = fc.oneof(
  fc.record({ file: fc.constantFrom('f', 'g'), line: fc.nat(7), text: fc.constantFrom('x', 'y') }),
  fc.record({ add: fc.constantFrom('n1', 'n2', 'd/n3') }),
  fc.record({ remove: fc.constantFrom('f', 'g') }),
);

type Step = { file: string; line: number; text: string } | { add: string } | { remove: string };

function grow(fixture: GitFixture, steps: readonly Step[]): string {
  const changes: Record<string, Record<number, string>> = { f: {}, g: {} };
  const gone = new Set<string>();
  for (const [i, each] of steps.entries()) {
    if ('add' in each) fixture.commit(`add ${i}`, { [each.add]: `${i}\n` });
    else if ('remove' in each) {
      if (!gone.has(each.remove)) fixture.commit(`remove ${i}`, { [each.remove]: undefined });
      gone.add(each.remove);
    } else if (!gone.has(each.file)) {
      const change = { ...changes[each.file], [each.line]: `${each.text}` };
      changes[each.file] = change;
      fixture.commit(`edit ${i}`, { [each.file]: body(change) });
    }
  }
  return fixture.oid('HEAD');
}

test('random histories: merge, rebase and revert agree with git in a checkout', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(steps, steps, async (left, right) => {
      const fixture = gitFixture();
      const base = fixture.commit('base', { f: body(), g: body(), keep: '1\n' });
      fixture.branchFrom('left', base);
      const ours = grow(fixture, left);
      fixture.branchFrom('right', base);
      const theirs = grow(fixture, right);
      const repo = await fixture.open({ longLived: true });

      const dir = scratchWorktree(fixture, ours);
      const merged = fixture.tryGit(dir, 'merge', '--no-ff', '-m', 'm', theirs).status === 0;
      const [answer] = await mergeTrees(repo, [{ ours, theirs }]);
      expect(answer?.kind).toBe(merged ? 'clean' : 'conflict');
      if (merged) expect(answer?.tree).toBe(fixture.oid('HEAD^{tree}', dir));

      const rebased = await rebaseCommits(repo, { from: base, to: theirs, onto: ours, policy: 'defer' });
      const real = realRebase(
        fixture,
        { onto: ours, from: base, to: theirs },
        '--no-reapply-cherry-picks',
        '--empty=drop',
      );
      expect(rebased.kind).toBe(real ? 'rebased' : 'conflict');
      if (real && rebased.kind === 'rebased') expect(fixture.tree(rebased.head)).toBe(fixture.tree(real));

      if (!merged || theirs === base) return;
      const landing = fixture.oid('HEAD', dir);
      fixture.gitIn(dir, 'switch', '--quiet', '-c', 'after');
      const tip = fixture.commit('after', { after: '1\n' }, dir);
      const undone = await revertMerge(repo, { tip, merge: landing, message: 'undo', author: ada });
      const reverted = fixture.tryGit(dir, 'revert', '--no-edit', '-m', '1', landing).status === 0;
      if (reverted) expect(undone).toMatchObject({ kind: 'merged', tree: fixture.oid('HEAD^{tree}', dir) });
      else expect(undone.kind).not.toBe('merged');
    }),
    { numRuns: process.env.GITSWARM_LONG ? 200 : 15 },
  );
});
