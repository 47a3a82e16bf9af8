import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';

it('a stream is asked for, shown, judged by name, and only what was seen is judged', () => {
  const cli = cliFixture({ agents: ['coder'] });
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder', '--name', 'work']);
  cli.write({ 'ü "x".txt': '1\n2\n', 'bin.dat': Buffer.from([0, 1, 2]) }, path);
  const first = cli.data(['commit', '-m', 'one'], { cwd: path });
  expect(cli.data(['review', 'next', '--as', 'Olga'])).toBeNull();
  cli.write({ 'left.txt': '' }, path);
  const asked = cli.data(['review', 'submit', '-m', 'please'], { cwd: path });
  expect(asked).toMatchObject({
    kind: 'requested',
    stream: { id: stream.id, state: 'in_review' },
    consensus: { reached: false },
    uncommitted: ['left.txt'],
  });
  expect(cli.data(['review', 'next', '--as', 'Olga'])).toMatchObject({ stream: { id: stream.id } });

  const shown = cli.data(['diff', stream.handle, '--as', 'Olga']);
  expect(shown).toMatchObject({ stream: { id: stream.id }, base: cli.git.oid('buffer'), head: first.commit });
  expect(shown.files).toEqual([
    { path: 'bin.dat', insertions: null, deletions: null },
    { path: 'ü "x".txt', insertions: 2, deletions: 0 },
  ]);
  expect(shown.patch).toContain('+2\n');

  // A verdict is nobody's by accident.
  expect(cli.json(['review', 'submit', '.', 'approve'], { cwd: path })).toMatchObject({
    code: 2,
    error: { code: 'usage' },
  });
  expect(cli.json(['review', 'approve', '.', '--as', 'coder'], { cwd: path })).toMatchObject({
    code: 4,
    error: { code: 'not_allowed' },
  });
  expect(cli.json(['review', 'submit', '.', 'aprove', '--as', 'Olga'], { cwd: path })).toMatchObject({
    code: 2,
    error: { message: expect.stringContaining('"approve"') },
  });

  // Somebody who only looks without a name does not change what Olga has seen.
  const second = cli.data(['commit', '-m', 'two'], { cwd: path });
  cli.data(['diff', stream.handle]);
  expect(cli.json(['review', 'approve', stream.handle, '--as', 'Olga'])).toMatchObject({
    code: 5,
    error: { code: 'stale' },
  });
  const verdict = cli.data([
    'review',
    'submit',
    stream.handle,
    'approve',
    '--tested',
    '--head',
    second.commit,
    '-m',
    'good',
    '--as',
    'Olga',
  ]);
  expect(verdict).toMatchObject({
    kind: 'verdict',
    review: { verdict: 'approve', tested: true, head: second.commit },
    consensus: { reached: true },
  });
  expect(cli.data(['review', 'check', stream.handle, '--exit-code'])).toMatchObject({
    state: 'reached',
    reached: true,
    threshold: 0.66,
    score: 1,
    authority: 'local',
    votes: [
      { reviewer: expect.any(String), verdict: 'approve', weight: 1, counts: true, why: expect.any(String) },
    ],
  });
  expect(cli.data(['review', 'list', stream.handle])).toMatchObject([
    { reviewerName: 'Olga', standing: true, stale: false },
  ]);
  expect(cli.data(['review', 'blocks', stream.handle])).toMatchObject([
    { block: 1, title: 'one' },
    { block: 2, title: 'two' },
  ]);
});

it("diff --since-review shows the author's changes since the verdict, not those of a new base", () => {
  const cli = cliFixture();
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder']);
  cli.write({ 'new.txt': '1\n' }, path);
  cli.data(['commit', '-m', 'one'], { cwd: path });
  expect(cli.json(['diff', stream.handle, '--since-review', '--as', 'Olga'])).toMatchObject({ code: 3 });
  cli.data(['review', 'submit'], { cwd: path });
  cli.data(['review', 'reject', stream.handle, '-m', 'no', '--as', 'Olga']);
  expect(cli.data(['review', 'check', stream.handle, '--exit-code'], { exit: 6 })).toMatchObject({
    reached: false,
  });
  expect(cli.data(['review', 'check', stream.handle])).toMatchObject({ reached: false });

  const other = cli.data(['workspace', 'create', '--as', 'bob']);
  cli.write({ 'a.txt': 'bob\n' }, other.path);
  cli.data(['commit', '-m', 'bob'], { cwd: other.path });
  cli.data(['review', 'submit'], { cwd: other.path });
  cli.data(['review', 'approve', other.stream.handle, '--as', 'Olga']);
  cli.data(['merge', other.stream.handle, '--as', 'bob']);
  cli.data(['stream', 'rebase'], { cwd: path });
  expect(cli.data(['diff', stream.handle, '--since-review', '--as', 'Olga'])).toMatchObject({
    files: [],
    patch: '',
  });

  cli.write({ 'new.txt': '2\n' }, path);
  cli.data(['commit', '-m', 'two'], { cwd: path });
  const since = cli.data(['diff', stream.handle, '--since-review', '--as', 'Olga']);
  expect(since.files).toEqual([{ path: 'new.txt', insertions: 1, deletions: 1 }]);
  expect(cli.data(['diff', stream.handle, '--against', 'target', '--stat']).files).toHaveLength(2);
  expect(cli.data(['diff', stream.handle, '--against', other.stream.handle]).files).toHaveLength(1);
  expect(cli.data(['diff', other.stream.handle]).files).toEqual([
    { path: 'a.txt', insertions: 1, deletions: 3 },
  ]);
  const ran = cli.run(['diff', stream.handle]);
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('+2\n') });
});

it('in swarm mode asking for review says that the work is done', () => {
  const cli = cliFixture({ mode: 'swarm', agents: ['coder'] });
  const { path } = cli.data(['workspace', 'create', '--as', 'coder']);
  expect(cli.json(['review', 'request'], { cwd: path })).toMatchObject({
    code: 6,
    error: { code: 'gate_not_met' },
  });
  cli.write({ 'new.txt': '1\n' }, path);
  cli.data(['commit', '-m', 'one'], { cwd: path });
  expect(cli.data(['review', 'request'], { cwd: path })).toMatchObject({
    kind: 'requested',
    finished: true,
    stream: { state: 'merged' },
  });
});
