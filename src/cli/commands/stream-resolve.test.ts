import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type CliFixture, cliFixture } from '../../../test/support/cli.ts';

/** Two streams change the same line; bob's has landed, coder's conflicts, and a file of coder's is not committed. */
function conflicting(mode: 'review' | 'swarm' = 'review') {
  const cli = cliFixture({ mode, files: { 'a file.txt': 'one\ntwo\nthree\n', 'gone.txt': 'x\n' } });
  const mine = cli.data(['workspace', 'create', '--as', 'coder', '--name', 'mine']);
  const other = cli.data(['workspace', 'create', '--as', 'bob', '--name', 'other']);
  cli.write({ 'a file.txt': 'one\nBOB\nthree\nfour\n', 'gone.txt': undefined }, other.path);
  cli.data(['commit', '-m', 'bob'], { cwd: other.path });
  if (mode === 'review') {
    cli.data(['review', 'submit'], { cwd: other.path });
    cli.data(['review', 'approve', other.stream.handle, '--as', 'Olga']);
    cli.data(['merge', other.stream.handle, '--as', 'bob']);
  }
  cli.write({ 'a file.txt': 'zero\none\nCODER\nthree\n', 'gone.txt': 'x\ny\n' }, mine.path);
  return {
    cli,
    path: mine.path as string,
    handle: mine.stream.handle as string,
    id: mine.stream.id as string,
  };
}

/** Everything git could tell apart in a worktree: files with their content, and the index. */
function state(cli: CliFixture, path: string): string {
  const files = cli.git.gitIn(path, 'ls-files', '--cached', '--others', '--exclude-standard').split('\n');
  const contents = files.map((file) => `${file}:${cli.git.tryGit(path, 'hash-object', '--', file).stdout}`);
  return [
    cli.git.gitIn(path, 'status', '--porcelain=v2', '--branch'),
    cli.git.gitIn(path, 'ls-files', '--stage'),
    ...contents,
  ].join('\n');
}

it('resolve leaves markers, refuses to go on with them, and lands what was decided', () => {
  const { cli, path, handle } = conflicting();
  const at = { cwd: path };
  const made = cli.data(['commit', '-m', 'coder'], at);
  expect(made.conflictsWith).toMatchObject([{ with: 'buffer', files: ['a file.txt', 'gone.txt'] }]);

  const begun = cli.data(['stream', 'resolve', '.'], at);
  expect(begun).toMatchObject({ kind: 'open', setAside: null });
  expect(begun.files).toEqual([
    { path: 'a file.txt', kind: 'content' },
    { path: 'gone.txt', kind: 'changed_and_deleted' },
  ]);
  expect(readFileSync(join(path, 'a file.txt'), 'utf8')).toContain('<<<<<<<');

  const early = cli.json(['stream', 'resolve', '.', '--continue'], at);
  expect(early).toMatchObject({ code: 5, error: { code: 'conflict' } });
  cli.git.gitIn(path, 'add', '--all');
  expect(cli.json(['stream', 'resolve', '.', '--continue'], at)).toMatchObject({
    code: 5,
    error: { code: 'conflict' },
  });

  cli.write({ 'a file.txt': 'zero\none\nBOTH\nthree\nfour\n' }, path);
  cli.git.gitIn(path, 'add', '--all');
  const resolved = cli.data(['stream', 'resolve', '.', '--continue'], at);
  expect(resolved).toMatchObject({ kind: 'resolved', conflictsWith: [], merged: false });
  expect(cli.git.gitIn(path, 'rev-list', '--parents', '-n1', 'HEAD').split(' ')).toHaveLength(3);
  expect(cli.data(['stream', 'show', handle])).toMatchObject({
    state: 'active',
    conflict: null,
    head: resolved.commit,
  });
  expect(cli.json(['stream', 'resolve', '.', '--continue'], at)).toMatchObject({
    code: 6,
    error: { code: 'wrong_state' },
  });
  expect(cli.json(['stream', 'resolve', '.'], at)).toMatchObject({ code: 6, error: { code: 'wrong_state' } });

  cli.data(['undo'], at);
  expect(cli.git.oid('HEAD', path)).toBe(made.commit);
});

it('--ours and --theirs decide only the lines that clash, everywhere or in the paths named', () => {
  const { cli, path, handle } = conflicting();
  cli.data(['commit', '-m', 'coder'], { cwd: path });
  // From below the top, paths are relative to where one stands.
  cli.write({ 'sub/keep.txt': '' }, path);
  cli.data(['commit', '-m', 'a folder'], { cwd: path });
  const first = cli.data(['stream', 'resolve', '.', '--theirs', '../a file.txt'], { cwd: join(path, 'sub') });
  expect(first.files).toEqual([{ path: 'gone.txt', kind: 'changed_and_deleted' }]);
  expect(readFileSync(join(path, 'a file.txt'), 'utf8')).toBe('zero\none\nBOB\nthree\nfour\n');
  expect(cli.json(['stream', 'resolve', handle, '--ours', 'a file.txt', '--as', 'coder'])).toMatchObject({
    code: 3,
  });
  expect(cli.json(['stream', 'resolve', '.', '--ours', '../../x'], { cwd: path })).toMatchObject({ code: 2 });
  const done = cli.data(['stream', 'resolve', '.', '--ours', '--continue'], { cwd: path });
  expect(done.kind).toBe('resolved');
  expect(cli.git.git('show', `${done.commit}:gone.txt`)).toBe('x\ny');
});

it('--abort brings everything back exactly: staged, edited, deleted and untracked', () => {
  const { cli, path } = conflicting();
  cli.data(['commit', '-m', 'coder'], { cwd: path });
  cli.write({ 'staged.txt': 'staged\n', 'a file.txt': 'zero\none\nCODER\nthree\nstaged\n' }, path);
  cli.git.gitIn(path, 'add', '--all');
  cli.write(
    {
      'a file.txt': 'zero\none\nCODER\nthree\nedited\n',
      'new folder/ü "x".txt': 'new\n',
      'gone.txt': undefined,
    },
    path,
  );
  const before = state(cli, path);

  const begun = cli.data(['stream', 'resolve', '.'], { cwd: path });
  expect(begun.setAside).toMatch(/^refs\/gitswarm\/snapshots\//);
  cli.write({ 'a file.txt': 'half done\n', 'scratch.txt': 'mine\n' }, path);
  const aborted = cli.data(['stream', 'resolve', '.', '--abort'], { cwd: path });
  expect(state(cli, path)).toBe(before);
  expect(cli.git.git('show', `${aborted.kept}:scratch.txt`)).toBe('mine');
  expect(cli.json(['stream', 'resolve', '.', '--abort'], { cwd: path })).toMatchObject({ code: 6 });
});

it('what was set aside comes back on top of the resolution', () => {
  const { cli, path } = conflicting();
  cli.data(['commit', '-m', 'coder'], { cwd: path });
  cli.write({ 'notes.txt': 'not yet committed\n' }, path);
  const resolved = cli.data(['stream', 'resolve', '.', '--theirs', '--continue'], { cwd: path });
  expect(resolved).toMatchObject({ setAside: 'restored' });
  expect(resolved.files).not.toContain('notes.txt');
  expect(cli.git.gitIn(path, 'status', '--porcelain')).toBe('?? notes.txt');
});

it('in swarm mode a conflict keeps the commit, and resolving it lands', () => {
  const { cli, path, handle } = conflicting('swarm');
  const made = cli.json(['commit', '-m', 'coder'], { cwd: path });
  expect(made).toMatchObject({ code: 5, ok: true, data: { merged: false, merge: { kind: 'conflict' } } });
  expect(made.data.conflict.files).toMatchObject([{ path: 'a file.txt' }, { path: 'gone.txt' }]);
  expect(cli.git.oid('HEAD', path)).toBe(made.data.commit);
  expect(cli.data(['stream', 'show', handle])).toMatchObject({
    state: 'conflicted',
    conflict: { with: 'buffer' },
  });

  const stranger = cli.json(['stream', 'resolve', handle, '--ours', '--as', 'bob']);
  expect(stranger).toMatchObject({ code: 4, error: { code: 'not_allowed' } });
  const resolved = cli.data(['stream', 'resolve', '.', '--ours', '--continue'], { cwd: path });
  expect(resolved).toMatchObject({ kind: 'resolved', merged: true });
  expect(cli.git.git('show', 'buffer:a file.txt')).toBe('zero\none\nCODER\nthree\nfour');
  expect(cli.data(['stream', 'show', handle]).state).toBe('active');
});

it('a resolution that was interrupted, given up or committed with plain git loses nothing', () => {
  const { cli, path } = conflicting();
  const at = { cwd: path };
  cli.data(['commit', '-m', 'coder'], at);
  cli.write({ 'notes.txt': 'mine\n', 'a file.txt': 'zero\none\nCODER\nthree\nmore\n' }, path);
  const before = state(cli, path);
  // Killed between setting aside and merging.
  const killed = cli.run(['stream', 'resolve', '.'], {
    cwd: path,
    env: { GITSWARM_CRASH_AT: 'resolve.set_aside' },
  });
  expect(killed.code).not.toBe(0);
  expect(cli.git.gitIn(path, 'status', '--porcelain')).toBe('');
  cli.data(['stream', 'resolve', '.'], at);
  cli.git.gitIn(path, 'merge', '--abort');
  cli.data(['stream', 'resolve', '.', '--abort'], at);
  expect(state(cli, path)).toBe(before);

  cli.git.gitIn(path, 'checkout', '--quiet', '--', '.');
  cli.data(['stream', 'resolve', '.', '--ours'], at);
  cli.git.gitIn(path, 'commit', '--quiet', '-m', 'by hand');
  expect(cli.data(['commit', '-m', 'go on'], at)).toMatchObject({ setAside: 'restored' });
  expect(cli.git.gitIn(path, 'status', '--porcelain')).toBe('?? notes.txt');
});
