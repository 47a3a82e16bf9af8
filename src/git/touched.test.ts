import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fixtureEnv, type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { treeOf } from './commits.ts';
import { changedPaths } from './diff.ts';
import { mergeTrees } from './merge.ts';
import { withScratchObjects } from './scratch-objects.ts';
import { changesBetween, meetingPairs, touchedBy } from './touched.ts';

const BASE: Record<string, string> = {
  'a/one': 'one\n1\n2\n3\n4\n',
  'a/two': 'two\n1\n2\n3\n4\n',
  'a/deep/three': 'three\n1\n2\n3\n',
  'b/four': 'four\n1\n2\n3\n4\n',
  five: 'five\n1\n2\n3\n4\n',
};

/** One thing a stream does to the files. */
const step = fc.oneof(
  fc.record({ do: fc.constant('edit' as const), path: fc.constantFrom(...Object.keys(BASE)) }),
  fc.record({ do: fc.constant('delete' as const), path: fc.constantFrom(...Object.keys(BASE)) }),
  fc.record({
    do: fc.constant('add' as const),
    path: fc.constantFrom(
      'a/new',
      'a/deep/new',
      'a/deep/in/new',
      'b/new',
      'c/new',
      'new',
      'five/new',
      'b/four/new',
      'a',
    ),
  }),
  fc.record({
    do: fc.constant('rename' as const),
    from: fc.constantFrom('a/', 'b/', 'a/deep/', 'a/one', 'five', 'b/four'),
    to: fc.constantFrom('c/', 'a/moved/', 'b/', 'z/'),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function play(steps: readonly Step[], mark: string): Map<string, string> {
  const files = new Map(Object.entries(BASE) as [string, string][]);
  const put = (path: string, text: string) => {
    for (const other of files.keys()) {
      if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) files.delete(other);
    }
    files.set(path, text);
  };
  for (const each of steps) {
    if (each.do === 'edit' && files.has(each.path)) files.set(each.path, `${mark}\n${files.get(each.path)}`);
    if (each.do === 'delete') files.delete(each.path);
    if (each.do === 'add') put(each.path, `new ${mark}\n`);
    if (each.do === 'rename') {
      for (const [path, text] of [...files]) {
        const isIn = each.from.endsWith('/') ? path.startsWith(each.from) : path === each.from;
        if (!isIn) continue;
        files.delete(path);
        put(
          each.to + (each.from.endsWith('/') ? path.slice(each.from.length) : path.replaceAll('/', '-')),
          text,
        );
      }
    }
  }
  return files;
}

/** A commit with exactly these files, without a checkout. */
function commitFiles(fixture: GitFixture, files: Record<string, string>, parent?: string): string {
  const lines = Object.entries(files).map(
    ([path, text]) => `M 100644 inline ${JSON.stringify(path)}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  );
  const from = parent === undefined ? '' : `from ${parent}\n`;
  const head = `commit refs/tests/new\nmark :1\ncommitter C <c@e.org> 1700000000 +0000\ndata 1\nx\n`;
  const input = `reset refs/tests/new\n\n${head}${from}deleteall\n${lines.join('')}\nget-mark :1\n`;
  const args = ['fast-import', '--quiet', '--force'];
  const result = spawnSync('git', args, { cwd: fixture.dir, env: fixtureEnv, encoding: 'utf8', input });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
}

it('two changes that git cannot merge always meet, however files and folders were moved', async () => {
  const fixture = gitFixture();
  const repo = await fixture.open();
  const base = commitFiles(fixture, BASE);
  let conflicts = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 6 }),
      async (streams) => {
        const heads = streams.map((steps, i) =>
          commitFiles(fixture, Object.fromEntries(play(steps, `by ${i}`)), base),
        );
        const from = await treeOf(repo, base);
        const trees = await Promise.all(heads.map((head) => treeOf(repo, head)));
        const changes = await changesBetween(
          repo,
          trees.map((to) => ({ from, to })),
        );
        const met = new Set(meetingPairs(changes.map(touchedBy)).map(([a, b]) => `${a} ${b}`));
        const pairs = heads.flatMap((ours, a) =>
          heads.slice(a + 1).map((theirs, j) => ({ ours, theirs, a, b: a + 1 + j })),
        );
        const answers = await withScratchObjects(repo, (scratch) => mergeTrees(scratch, pairs));
        for (const [i, { a, b }] of pairs.entries()) {
          if (answers[i]?.kind !== 'conflict') continue;
          conflicts++;
          expect(met).toContain(`${a} ${b}`);
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(conflicts).toBeGreaterThan(20);
});

it('the changes of many pairs are those that git tells of each alone', async () => {
  const fixture = gitFixture();
  const repo = await fixture.open();
  const base = commitFiles(fixture, BASE);
  const other = commitFiles(fixture, { 'odd\nname': 'x', 'a/one': 'changed' }, base);
  const trees = [base, other].map((commit) => fixture.oid(`${commit}^{tree}`));
  const [from = '', to = ''] = trees;
  const answers = await changesBetween(repo, [
    { from, to },
    { from, to: from },
    { from: to, to: from },
  ]);
  expect(answers).toEqual([await changedPaths(repo, from, to), [], await changedPaths(repo, to, from)]);
});

it('streams in different files do not meet, so that nothing is asked of git for them', () => {
  const edit = (path: string) => touchedBy([{ path, status: 'modified' }]);
  const add = (path: string) => touchedBy([{ path, status: 'added' }]);
  expect(meetingPairs([edit('a/x'), edit('a/y'), edit('b/x')])).toEqual([]);
  expect(meetingPairs([add('a/x'), add('a/y')])).toEqual([]);
  expect(meetingPairs([edit('a/x'), add('a/y'), edit('a/x')])).toEqual([[0, 2]]);
});
