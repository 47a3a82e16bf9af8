import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bareRepository } from '../../test/support/bare-repository.ts';
import { applyPatch } from './apply-patch.ts';
import { editTree, type TreeEdit } from './edit-tree.ts';
import { writeBlob } from './objects.ts';
import { emptyTree } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit, runGitBytes } from './run-git.ts';

const limits = { files: 100, bytes: 1000 };

type Tree = Record<string, { content: string | Buffer; mode?: string }>;

function treeOf(repo: Repository, files: Tree): Promise<string> {
  const edits = Object.entries(files).map(async ([path, { content, mode = '100644' }]): Promise<TreeEdit> => {
    return { path, entry: { mode, oid: await writeBlob(repo, content) } };
  });
  return Promise.all(edits).then((all) => editTree(repo, emptyTree(repo.objectFormat), all));
}

async function diff(repo: Repository, a: string, b: string, ...options: string[]): Promise<Buffer> {
  const args = ['diff-tree', '-r', '-p', '--binary', '--full-index', ...options, a, b];
  return (await runGitBytes(repo, args)).stdout;
}

const text = fc
  .array(fc.constantFrom('a', 'b', ' c', '', '-- a', '+++ b/x', '@@ -1 +1 @@', 'diff --git a/x b/x', 'ü\r'), {
    maxLength: 8,
  })
  .chain((lines) => fc.constantFrom('', '\n').map((end) => lines.join('\n') + end));
const content = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from([0, ...bytes])),
);
const file = fc.record({ content, mode: fc.constantFrom('100644', '100755') });
const name = fc.constantFrom('a', 'b c', 'd/e', 'd/"f', "d/g'", 'ü/é', 'x/y/z', 'Makefile', '-p', 'a b/c d');
const tree: fc.Arbitrary<Tree> = fc.dictionary(name, file, { maxKeys: 6 });

it('a diff of git between any two trees makes the second of the first', async () => {
  const repo = await bareRepository();
  await fc.assert(
    fc.asyncProperty(
      tree,
      tree,
      fc.constantFrom(['-M'], ['--no-renames'], ['-C'], ['-U1']),
      async (a, b, options) => {
        const [from, to] = [await treeOf(repo, a), await treeOf(repo, b)];
        if (from === to) return;
        const patch = await diff(repo, from, to, ...options);
        const applied = await applyPatch(repo, from, { patch, limits });
        expect(applied).toMatchObject({ kind: 'applied', tree: to });
      },
    ),
    { numRuns: 40 },
  );
});

it('says of each file that does not fit which hunk it is, and changes nothing', async () => {
  const repo = await bareRepository();
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}\n`);
  const base = await treeOf(repo, { a: { content: lines.join('') }, b: { content: 'b\n' } });
  const [early, late] = [lines.with(2, 'two\n'), lines.with(2, 'two\n').with(25, 'twenty-five\n')];
  const wanted = await treeOf(repo, {
    a: { content: late.join('') },
    b: { content: 'B\n' },
    c: { content: 'c\n' },
  });
  const patch = await diff(repo, base, wanted);
  const now = await treeOf(repo, {
    a: { content: lines.with(24, 'other\n').join('') },
    b: { content: 'b\n' },
    c: { content: 'is here already\n' },
  });
  const answer = await applyPatch(repo, now, { patch, limits });
  expect(answer).toEqual({
    kind: 'unfit',
    files: [
      { path: 'a', hunk: '@@ -23,7 +23,7 @@', expects: lines.slice(22, 29).map((each) => each.trimEnd()) },
      { path: 'c', hunk: null, expects: [] },
    ],
  });
  const gone = await applyPatch(repo, await treeOf(repo, { a: { content: early.join('') } }), {
    patch,
    limits,
  });
  expect(gone).toMatchObject({ kind: 'unfit', files: [{ path: 'a' }, { path: 'b', hunk: null }] });
});

it('takes no patch that leads out of the repository or makes anything but files', async () => {
  const repo = await bareRepository();
  const link = { mode: '120000', oid: await writeBlob(repo, '/etc') };
  const base = await editTree(repo, await treeOf(repo, { a: { content: 'a\n' } }), [
    { path: 'link', entry: link },
  ]);
  const make = (path: string, mode = '100644') =>
    `diff --git a/${path} b/${path}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
  const refused = async (patch: string) => {
    const answer = applyPatch(repo, base, { patch: Buffer.from(patch), limits });
    const kind = await answer.then(
      (given) => given.kind,
      (error: { code: string }) => error.code,
    );
    expect([patch, ['invalid', 'unfit', 'too_large'].includes(kind)]).toEqual([patch, true]);
  };
  for (const path of [
    '../x',
    '.git/config',
    'd/.GIT/x',
    'a/../../x',
    'git~1/x',
    '.git /x',
    'a\\b',
    'link/passwd',
    'd/.git',
  ])
    await refused(make(path));
  await refused('--- /dev/null\n+++ //etc/passwd\n@@ -0,0 +1 @@\n+x\n');
  for (const mode of ['120000', '160000', '040000']) await refused(make('x', mode));
  await refused('diff --git a/a b/a\nold mode 100644\nnew mode 120000\n');
  await refused('diff --git a/a b/.git/x\nsimilarity index 100%\nrename from a\nrename to .git/x\n');
  await refused('diff --git a/link b/l\nsimilarity index 100%\nrename from link\nrename to l\n');
  const bytes = 'Subproject commit 0000000000000000000000000000000000000001';
  await refused(
    `diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+${bytes}\n`,
  );
  await refused(make('big').replace('+x', `+${'x'.repeat(1001)}`));
  for (const patch of ['', 'no patch at all', make('x').slice(0, -4)]) await refused(patch);
  await refused(Array.from({ length: 101 }, (_, i) => make(`f${i}`)).join(''));
  const { stdout } = await runGit(repo, ['for-each-ref']);
  expect(stdout).toBe('');
});
