import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';

it('streams are forked, shown as a tree, rebased away from their parent, paused and abandoned', () => {
  const cli = cliFixture();
  const parent = cli.data(['workspace', 'create', '--as', 'coder', '--name', 'parent "ü"']);
  cli.write({ 'p.txt': '1\n' }, parent.path);
  cli.data(['commit', '-m', 'parent'], { cwd: parent.path });
  const child = cli.data(['stream', 'fork', parent.stream.handle, '--name', 'child', '--as', 'bob']);
  expect(child).toMatchObject({
    stream: { parentStreamId: parent.stream.id, baseBranch: parent.stream.branch },
    agent: { name: 'bob' },
  });
  cli.write({ 'c.txt': '1\n' }, child.path);
  cli.data(['commit', '-m', 'child'], { cwd: child.path });
  cli.write({ 'p2.txt': '1\n' }, parent.path);
  expect(cli.data(['commit', '-m', 'more'], { cwd: parent.path }).cascade.rebased).toEqual([child.stream.id]);
  expect(existsSync(join(child.path, 'p2.txt'))).toBe(true);

  expect(cli.data(['stream', 'graph'])).toMatchObject([
    { handle: parent.stream.handle, children: [{ handle: child.stream.handle, children: [] }] },
  ]);
  expect(cli.run(['stream', 'graph']).stdout).toContain(`   └─ ${child.stream.handle} "child"`);
  expect(cli.data(['stream', 'list', '--author', 'bob', '--state', 'active'])).toMatchObject([
    { id: child.stream.id, commitCount: 1 },
  ]);
  expect(cli.json(['stream', 'list', '--state', 'none'])).toMatchObject({ code: 2 });
  expect(cli.data(['stream', 'log', child.stream.handle])).toMatchObject([{ author: 'bob' }]);

  const gone = cli.data(['stream', 'abandon', parent.stream.handle, '--as', 'coder']);
  expect(gone).toMatchObject({ stream: { state: 'abandoned' }, paused: [{ id: child.stream.id }] });
  expect(
    cli.json(['stream', 'rebase', child.stream.handle, '--onto', 'buffer', '--as', 'coder']),
  ).toMatchObject({ code: 4 });
  expect(cli.data(['stream', 'rebase', '--onto', 'buffer'], { cwd: child.path })).toMatchObject({
    kind: 'moved',
  });
  expect(existsSync(join(child.path, 'p.txt'))).toBe(false);
  expect(cli.data(['stream', 'show', '.'], { cwd: child.path })).toMatchObject({
    state: 'active',
    parentStreamId: null,
    workspace: child.path,
  });

  expect(cli.data(['stream', 'pause', '--reason', 'lunch'], { cwd: child.path })).toMatchObject({
    state: 'paused',
  });
  cli.write({ 'late.txt': '' }, child.path);
  expect(cli.json(['commit', '-m', 'no'], { cwd: child.path })).toMatchObject({
    code: 6,
    error: { code: 'wrong_state' },
  });
  expect(cli.data(['stream', 'resume'], { cwd: child.path })).toMatchObject({ state: 'active' });
});

it('a rebase that conflicts moves nothing, and one that was made is undone', () => {
  const cli = cliFixture({ mode: 'swarm' });
  const mine = cli.data(['workspace', 'create', '--as', 'coder']);
  const other = cli.data(['workspace', 'create', '--as', 'bob']);
  cli.data(['config', 'set', 'merge_mode', 'review', '--as', 'Olga']);
  cli.write({ 'a.txt': 'coder\n' }, mine.path);
  const made = cli.data(['commit', '-m', 'coder'], { cwd: mine.path });
  cli.data(['config', 'set', 'merge_mode', 'swarm', '--as', 'Olga']);
  cli.write({ 'other.txt': '1\n' }, other.path);
  cli.data(['commit', '-m', 'fine'], { cwd: other.path });
  const moved = cli.data(['stream', 'rebase'], { cwd: mine.path });
  expect(moved).toMatchObject({ kind: 'moved', from: made.commit });
  cli.data(['undo'], { cwd: mine.path });
  expect(cli.git.oid('HEAD', mine.path)).toBe(made.commit);
  cli.write({ 'a.txt': 'bob\n' }, other.path);
  cli.data(['commit', '-m', 'clash'], { cwd: other.path });
  expect(cli.data(['stream', 'rebase'], { cwd: mine.path, exit: 5 })).toMatchObject({
    kind: 'conflict',
    files: [{ path: 'a.txt' }],
  });
  expect(cli.git.oid('HEAD', mine.path)).toBe(made.commit);
  expect(cli.data(['stream', 'conflicts', '.'], { cwd: mine.path })).toMatchObject({
    conflict: null,
    predicted: [{ with: 'buffer', files: ['a.txt'] }],
  });
});

it('a branch that exists is tracked as it is: built on, rebased, reviewed and landed like any other', () => {
  const cli = cliFixture();
  const { git, dir } = cli;
  git.commit('a hotfix on main', { 'hot.txt': '1\n' });
  git.branchFrom('feature/ü-x', 'main');
  const published = git.commit('published', { 'f.txt': '1\n' });
  git.git('update-ref', 'refs/remotes/origin/feature/ü-x', published);
  const own = git.commit('not published', { 'f.txt': '2\n' });
  git.git('switch', '--quiet', 'main');
  expect(cli.json(['stream', 'track', 'main', '--as', 'coder'])).toMatchObject({ code: 5 });
  expect(cli.json(['stream', 'track', 'none', '--as', 'coder'])).toMatchObject({ code: 3 });

  const { stream, path } = cli.data(['stream', 'track', 'feature/ü-x', '--as', 'coder']);
  expect(stream).toMatchObject({
    branch: 'feature/ü-x',
    source: 'tracked',
    state: 'active',
    commitCount: 2,
    paths: ['f.txt'],
  });
  expect(path).toBeNull();
  // What others may have is never rewritten, the hotfix of main least of all.
  expect(git.oid('feature/ü-x~1')).toBe(published);
  expect(git.oid('feature/ü-x')).not.toBe(own);
  expect(cli.json(['stream', 'track', 'feature/ü-x', '--as', 'bob'])).toMatchObject({
    code: 5,
    error: { code: 'already_exists' },
  });

  const child = cli.data(['stream', 'fork', stream.handle, '--as', 'bob']);
  expect(existsSync(join(child.path, 'f.txt'))).toBe(true);
  cli.data(['review', 'submit', stream.handle, '--as', 'coder']);
  cli.data(['review', 'approve', stream.handle, '--as', 'Olga']);
  expect(cli.data(['merge', stream.handle, '--as', 'coder'])).toMatchObject({ kind: 'merged' });
  expect(git.git('show', 'buffer:f.txt')).toBe('2');

  git.branchFrom('topic', 'main');
  git.commit('topic', { 't.txt': '1\n' });
  const here = cli.data(['stream', 'track', 'topic', '--as', 'coder']);
  expect(here.path).toBe(dir);
  cli.write({ 't.txt': '2\n' }, dir);
  expect(cli.data(['commit', '-m', 'more', 't.txt'])).toMatchObject({
    streamId: here.stream.id,
    files: ['t.txt'],
  });
  expect(cli.data(['stream', 'rebase'])).toMatchObject({ kind: 'moved' });
  expect(git.git('show', 'topic:f.txt')).toBe('2');
  expect(cli.json(['workspace', 'destroy', '--force'])).toMatchObject({
    code: 6,
    error: { code: 'wrong_state' },
  });
});

it('push respects the settings and says when there is no remote', () => {
  const cli = cliFixture({ agents: ['coder'] });
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder']);
  cli.write({ 'new.txt': '1\n' }, path);
  cli.data(['commit', '-m', 'work'], { cwd: path });
  expect(cli.json(['stream', 'push'], { cwd: path })).toMatchObject({
    code: 2,
    error: { code: 'not_configured' },
  });
  cli.data(['config', 'set', 'push', 'ask', '--as', 'Olga']);
  expect(cli.json(['stream', 'push'], { cwd: path })).toMatchObject({
    code: 2,
    error: { code: 'not_configured', fix: 'git remote add origin <url>' },
  });
  const remote = join(cli.git.top, 'remote.git');
  cli.git.git('init', '--quiet', '--bare', remote);
  cli.git.git('remote', 'add', 'up-stream', remote);
  expect(cli.json(['stream', 'push'], { cwd: path })).toMatchObject({
    code: 2,
    error: { fix: 'Add --yes.' },
  });
  expect(cli.data(['stream', 'push', '--yes'], { cwd: path })).toMatchObject({
    branch: stream.branch,
    remote: 'up-stream',
  });
  expect(cli.git.gitIn(remote, 'show', `${stream.branch}:new.txt`)).toBe('1');
});
