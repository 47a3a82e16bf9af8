import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ada, type Files, type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { changedPaths } from './diff.ts';
import { mergeCommits, mergeTrees } from './merge.ts';
import { withScratchObjects } from './scratch-objects.ts';

const message = 'merge\n';

/** Two branches, each with one commit on a common start. */
function fork(fixture: GitFixture, start: Files, left: Files, right: Files) {
  const base = fixture.commit('base', start);
  fixture.branchFrom('left', base);
  const ours = fixture.commit('left', left);
  fixture.branchFrom('right', base);
  const theirs = fixture.commit('right', right);
  return { base, ours, theirs };
}

/** What `git merge` makes of it in a checkout: a tree, or the paths in conflict. */
function realMerge(
  fixture: GitFixture,
  ours: string,
  theirs: string,
): { tree: string } | { files: string[] } {
  const dir = join(fixture.top, `merge-${ours.slice(0, 8)}-${theirs.slice(0, 8)}`);
  fixture.git('worktree', 'add', '--quiet', '--detach', dir, ours);
  const { status } = fixture.tryGit(dir, 'merge', '--quiet', '--no-ff', '-m', 'm', theirs);
  if (status === 0) return { tree: fixture.gitIn(dir, 'rev-parse', 'HEAD^{tree}') };
  const entries = fixture.gitIn(dir, 'ls-files', '-u', '-z').split('\0').filter(Boolean);
  return { files: [...new Set(entries.map((entry) => entry.slice(entry.indexOf('\t') + 1)))].sort() };
}

/** git puts a label behind the name of a file that had to step aside. */
function unlabelled(path: string): string {
  return path.replace(/~.*$/, '');
}

const cases: { name: string; start: Files; left: Files; right: Files }[] = [
  { name: 'disjoint files', start: { a: '1\n' }, left: { b: '2\n' }, right: { c: '3\n' } },
  {
    name: 'both ends of a file',
    start: { a: '1\n2\n3\n4\n5\n' },
    left: { a: '0\n2\n3\n4\n5\n' },
    right: { a: '1\n2\n3\n4\n6\n' },
  },
  { name: 'the same line', start: { a: '1\n' }, left: { a: '2\n' }, right: { a: '3\n' } },
  { name: 'added twice', start: { x: '1\n' }, left: { a: '2\n' }, right: { a: '3\n' } },
  { name: 'changed and deleted', start: { a: '1\n', b: '1\n' }, left: { a: '2\n' }, right: { a: undefined } },
  {
    name: 'a renamed file that was edited',
    start: { a: '1\n2\n3\n4\n5\n6\n' },
    left: { a: undefined, b: '1\n2\n3\n4\n5\n6\n' },
    right: { a: '1\n2\n3\n4\n5\nsix\n' },
  },
  {
    name: 'a file where the other has a directory',
    start: { x: '1\n' },
    left: { d: 'file\n' },
    right: { 'd/f': 'in\n' },
  },
  {
    name: 'the union driver by attribute',
    start: { '.gitattributes': 'log merge=union\n', log: '1\n' },
    left: { log: '1\nleft\n' },
    right: { log: '1\nright\n' },
  },
  {
    name: 'attributes in a directory',
    start: { 'd/.gitattributes': 'log merge=union\n', 'd/log': '1\n' },
    left: { 'd/log': '1\nl\n' },
    right: { 'd/log': '1\nr\n' },
  },
  {
    name: 'binary by attribute',
    start: { '.gitattributes': '*.bin -merge\n', 'a.bin': '1\n2\n3\n' },
    left: { 'a.bin': '0\n2\n3\n' },
    right: { 'a.bin': '1\n2\n4\n' },
  },
  {
    name: 'names that are hard to quote',
    start: { '-x': '1\n', 'naïve "q"\n.txt': '1\n' },
    left: { '-x': '2\n', 'naïve "q"\n.txt': '2\n' },
    right: { '-x': '3\n', 'naïve "q"\n.txt': '3\n' },
  },
];

describe('merging in memory gives what git merge gives', () => {
  test.each(cases)('$name', async ({ start, left, right }) => {
    for (const longLived of [false, true]) {
      const fixture = gitFixture();
      const { ours, theirs } = fork(fixture, start, left, right);
      const repo = await fixture.open({ longLived });
      // The checkout has other attributes than our side: it must not matter.
      fixture.write({ '.gitattributes': '* -merge\n' });
      const [answer] = await mergeTrees(repo, [{ ours, theirs }]);
      const real = realMerge(fixture, ours, theirs);
      if ('tree' in real) expect(answer).toEqual({ kind: 'clean', tree: real.tree });
      else {
        expect(answer?.kind).toBe('conflict');
        const files =
          answer?.kind === 'conflict' ? answer.files.map(({ path }) => unlabelled(path)).sort() : [];
        expect(files).toEqual(real.files.map(unlabelled));
      }
    }
  });

  test('also in a bare repository, where no attribute can be read from files', async () => {
    const fixture = gitFixture();
    const start = { '.gitattributes': 'log merge=union\n', log: '1\n' };
    const { ours, theirs } = fork(fixture, start, { log: '1\nl\n' }, { log: '1\nr\n' });
    const bare = join(fixture.top, 'bare');
    fixture.git('clone', '--quiet', '--bare', fixture.dir, bare);
    const repo = await fixture.open({ dir: bare });
    const real = realMerge(fixture, ours, theirs);
    expect(await mergeTrees(repo, [{ ours, theirs }])).toEqual([{ kind: 'clean', ...real }]);
  });

  test('a custom driver runs as in a checkout', async () => {
    const fixture = gitFixture();
    fixture.git('config', 'merge.keep.driver', 'cat %B >> %A');
    const start = { '.gitattributes': 'log merge=keep\n', log: '1\n' };
    const { ours, theirs } = fork(fixture, start, { log: 'l\n' }, { log: 'r\n' });
    const repo = await fixture.open({ longLived: true });
    expect(await mergeTrees(repo, [{ ours, theirs }])).toEqual([
      { kind: 'clean', ...realMerge(fixture, ours, theirs) },
    ]);
  });
});

describe('the process that merges', () => {
  test('gives the same answers in conversation, in batches, and where it cannot be talked to', async () => {
    const fixture = gitFixture();
    const pairs: { ours: string; theirs: string }[] = [];
    for (const [i, { start, left, right }] of cases.entries()) {
      fixture.git('checkout', '--quiet', '--orphan', `o${i}`);
      fixture.git('rm', '-rfq', '--ignore-unmatch', '.');
      const { ours, theirs } = fork(fixture, start, left, right);
      pairs.push({ ours, theirs });
    }
    const expected = await mergeTrees(await fixture.open(), pairs);
    expect(expected).toHaveLength(cases.length);
    for (const options of [{ longLived: true }, { longLived: true, stdbuf: false, patience: 100 }]) {
      const repo = await fixture.open(options);
      expect(await mergeTrees(repo, pairs)).toEqual(expected);
      expect(await mergeTrees(repo, pairs.toReversed())).toEqual(expected.toReversed());
    }
  });

  test('sees attributes that change between two merges', async () => {
    const fixture = gitFixture();
    const { ours, theirs } = fork(fixture, { log: '1\n' }, { log: '1\nl\n' }, { log: '1\nr\n' });
    fixture.branchFrom('left', ours);
    const union = fixture.commit('union', { 'x/y': '1', '.gitattributes': 'log merge=union\n' });
    const back = fixture.commit('back', { '.gitattributes': undefined });
    const repo = await fixture.open({ longLived: true });
    const kinds: (string | undefined)[] = [];
    for (const side of [ours, union, back, union]) {
      kinds.push((await mergeTrees(repo, [{ ours: side, theirs }]))[0]?.kind);
    }
    expect(kinds).toEqual(['conflict', 'clean', 'conflict', 'clean']);
  });

  test('survives an object that does not exist, and answers the questions beside it', async () => {
    const fixture = gitFixture();
    const { ours, theirs } = fork(fixture, { a: '1\n' }, { b: '1\n' }, { c: '1\n' });
    const repo = await fixture.open({ longLived: true });
    const unknown = 'd'.repeat(40);
    await expect(mergeTrees(repo, [{ ours, theirs: unknown }])).rejects.toMatchObject({ code: 'not_found' });
    const view = await repo.attributes.directoryFor(fixture.tree(ours));
    const bad = repo.merger.answers(
      [
        { ours, theirs },
        { ours, theirs: unknown },
      ],
      view,
    );
    const good = repo.merger.answers([{ ours, theirs }], view);
    await expect(bad).rejects.toMatchObject({ code: 'git_failed', details: { theirs: unknown } });
    expect((await good)[0]?.kind).toBe('clean');
    expect(repo.merger.converses).toBe(true);
  });

  test('refuses histories that have nothing in common', async () => {
    const fixture = gitFixture();
    const ours = fixture.commit('one', { a: '1\n' });
    fixture.git('checkout', '--quiet', '--orphan', 'other');
    const theirs = fixture.commit('two', { a: '2\n' });
    const repo = await fixture.open({ longLived: true });
    await expect(mergeTrees(repo, [{ ours, theirs }])).rejects.toMatchObject({ code: 'git_failed' });
  });

  test('takes nothing but full ids', async () => {
    const fixture = gitFixture();
    const ours = fixture.commit('one', { a: '1\n' });
    const repo = await fixture.open();
    for (const theirs of ['HEAD', '--help', '', `${ours}\n`]) {
      await expect(mergeTrees(repo, [{ ours, theirs }])).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});

describe('a merge commit', () => {
  test('has both parents, the message and the author, and moves nothing', async () => {
    const fixture = gitFixture();
    const { ours, theirs } = fork(fixture, { a: '1\n' }, { b: '1\n' }, { c: '1\n' });
    const before = fixture.git('for-each-ref');
    const repo = await fixture.open();
    const result = await mergeCommits(repo, { ours, theirs, message: 'Grüße\n\nTrailer: 1', author: ada });
    if (result.kind !== 'merged') throw new Error(result.kind);
    expect(fixture.git('log', '-1', '--format=%P|%an|%ad|%B', '--date=raw', result.commit)).toBe(
      `${ours} ${theirs}|Ada|1700000000 +0100|Grüße\n\nTrailer: 1`,
    );
    fixture.git('fsck', '--strict');
    expect(fixture.git('for-each-ref')).toBe(before);
    expect(fixture.git('status', '--porcelain')).toBe('');
    expect((await changedPaths(repo, ours, result.commit)).map(({ path }) => path)).toEqual(['c']);
  });

  test('is not made when there is nothing to merge', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('one', { a: '1\n' });
    const head = fixture.commit('two', { a: '2\n' });
    const repo = await fixture.open();
    for (const theirs of [head, base]) {
      const result = await mergeCommits(repo, { ours: head, theirs, message, author: ada });
      expect(result).toEqual({ kind: 'up_to_date' });
    }
    const forward = await mergeCommits(repo, {
      ours: base,
      theirs: head,
      message,
      author: ada,
      noFastForward: false,
    });
    expect(forward).toMatchObject({ kind: 'merged', commit: head });
    const landing = await mergeCommits(repo, { ours: base, theirs: head, message, author: ada });
    expect(landing.kind === 'merged' && landing.commit).not.toBe(head);
  });

  test('an existing conflict names every side of each path', async () => {
    const fixture = gitFixture();
    const { ours, theirs } = fork(
      fixture,
      { a: '1\n', ü: '1\n' },
      { a: '2\n', ü: '2\n' },
      { a: '3\n', ü: undefined },
    );
    const repo = await fixture.open();
    const result = await mergeCommits(repo, { ours, theirs, message, author: ada });
    expect(result).toMatchObject({
      kind: 'conflict',
      files: [
        {
          path: 'a',
          kind: 'content',
          base: { mode: '100644' },
          ours: { mode: '100644' },
          theirs: { mode: '100644' },
        },
        { path: 'ü', kind: 'changed_and_deleted', base: { mode: '100644' }, ours: { mode: '100644' } },
      ],
    });
  });
});

describe('a prediction', () => {
  test('writes nothing into the repository', async () => {
    const fixture = gitFixture();
    const { ours, theirs } = fork(fixture, { a: '1\n2\n3\n' }, { a: '0\n2\n3\n' }, { a: '1\n2\n4\n' });
    const repo = await fixture.open({ longLived: true });
    const before = fixture.git('count-objects');
    const result = await withScratchObjects(repo, (scratch) =>
      mergeCommits(scratch, { ours, theirs, message, author: ada }),
    );
    expect(result.kind).toBe('merged');
    expect(fixture.git('count-objects')).toBe(before);
    const real = await mergeCommits(repo, { ours, theirs, message, author: ada });
    expect(real).toEqual(result);
  });
});
