import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';
import { readWords } from './commit.ts';

it('one word without -m is the message, unless a file has that name', () => {
  const { dir } = cliFixture({ agents: [] });
  expect(readWords(['Add login'], {}, dir)).toEqual({ message: 'Add login', paths: [] });
  expect(readWords(['a.txt'], { message: 'M' }, dir)).toEqual({ message: 'M', paths: ['a.txt'] });
  expect(() => readWords(['a.txt'], {}, dir)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => readWords(['one', 'two'], {}, dir)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => readWords([], {}, dir)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => readWords([], { message: ' ' }, dir)).toThrow(expect.objectContaining({ code: 'usage' }));
});

it('commits everything, or the paths as seen from where one stands, however they are named', () => {
  const cli = cliFixture({ folder: 'a "folder" of ü', agents: ['coder'] });
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder', '--name', 'it\'s "quoted" ü']);
  const sub = { cwd: join(path, 'sub') };
  cli.write({ 'sub/-dash.txt': '1\n', 'sub/ü "q".txt': '1\n', 'sub/*.txt': '1\n', 'top.txt': '1\n' }, path);
  const first = cli.data(['commit', '-m', 'paths', '--', '-dash.txt', '*.txt', '../sub/ü "q".txt'], sub);
  expect(first).toMatchObject({
    streamId: stream.id,
    conflictsWith: [],
    merged: false,
    changeId: expect.stringMatching(/^I[0-9a-f]{40}$/),
  });
  expect(first.files).toEqual(['sub/*.txt', 'sub/-dash.txt', 'sub/ü "q".txt']);
  expect(cli.git.gitIn(path, 'log', '-1', '--format=%an <%ae>')).toBe('coder <coder@agents.gitswarm.local>');
  expect(cli.json(['commit', '-m', 'out', '../../a.txt'], sub)).toMatchObject({
    code: 2,
    error: { code: 'usage' },
  });

  const typo = cli.json(['commit', '-m', 'typo', 'none.txt'], sub);
  expect(typo).toMatchObject({ code: 3, error: { code: 'not_found' } });

  const rest = cli.data(['commit', 'the rest'], sub);
  expect(rest.files).toEqual(['top.txt']);
  expect(cli.data(['commit', '-m', 'nothing'], sub)).toMatchObject({
    commit: null,
    files: [],
    merged: false,
  });
  expect(cli.data(['commit', '-m', 'empty', '--allow-empty'], sub).commit).toMatch(/^[0-9a-f]{40}$/);
});

it('the actor is the author of the worktree, the only workspace serves elsewhere, and nobody commits for another', () => {
  const cli = cliFixture();
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder']);
  cli.write({ 'new.txt': '1\n' }, path);
  expect(cli.json(['commit', '-m', 'x', '--as', 'bob'], { cwd: path })).toMatchObject({
    code: 4,
    error: { code: 'not_allowed' },
  });
  expect(cli.json(['commit', '-m', 'x'])).toMatchObject({ code: 2 });
  expect(cli.json(['commit', '-m', 'x', '--as', 'bob'])).toMatchObject({ code: 2 });
  expect(cli.json(['commit', '-m', 'x', '--as', 'carol'])).toMatchObject({
    code: 3,
    error: { fix: 'gitswarm agent register carol' },
  });
  const made = cli.data(['commit', '-m', 'from the root', 'new.txt', '--as', 'coder']);
  expect(made).toMatchObject({ streamId: stream.id, files: ['new.txt'] });
  cli.data(['workspace', 'create', '--as', 'coder']);
  expect(cli.json(['commit', '-m', 'which?', '--as', 'coder'])).toMatchObject({
    code: 2,
    error: { code: 'usage' },
  });
  expect(
    cli.data(['commit', '-m', 'this', '--stream', stream.handle], { env: { GITSWARM_AGENT: 'coder' } }),
  ).toMatchObject({ commit: null });
});

it('in swarm mode a commit lands, and brings its worktree to the buffer', () => {
  const cli = cliFixture({ mode: 'swarm', agents: ['coder'] });
  const { path } = cli.data(['workspace', 'create', '--as', 'coder']);
  cli.write({ 'new.txt': '1\n' }, path);
  const made = cli.data(['commit', '-m', 'lands'], { cwd: path });
  expect(made).toMatchObject({
    merged: true,
    merge: { kind: 'merged' },
    cascade: { rebased: [], deferred: [], conflicted: [] },
  });
  expect(cli.git.git('show', 'buffer:new.txt')).toBe('1');
  expect(cli.git.oid('HEAD', path)).toBe(cli.git.oid('buffer'));
  expect(cli.git.gitIn(path, 'status', '--porcelain')).toBe('');
});
