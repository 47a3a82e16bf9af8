import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';

it('a workspace is made, listed, named by its place and taken away without losing anything', () => {
  const cli = cliFixture({ agents: ['coder', 'bob'] });
  const task = cli.data(['task', 'create', 'ü "work"', '--path', 'sub', '--as', 'Olga']);
  const made = cli.data(['workspace', 'create', '--task', task.handle, '--path', 'docs', '--as', 'coder']);
  expect(made).toMatchObject({
    stream: {
      name: 'ü "work"',
      baseBranch: 'buffer',
      baseCommit: cli.git.oid('buffer'),
      parentStreamId: null,
      status: 'active',
    },
    path: join(cli.dir, '.worktrees', 'coder'),
    agent: { name: 'coder' },
    taskId: task.id,
    overlaps: [],
    copied: [],
    setup: null,
  });
  expect(made.stream.branch).toBe(`stream/${made.stream.id}`);
  const other = cli.data(
    ['workspace', 'create', '--path', 'docs/x.md', '--at', '../elsewhere', '--as', 'bob'],
    { cwd: join(cli.dir, 'sub') },
  );
  expect(other).toMatchObject({ path: join(cli.dir, 'elsewhere'), overlaps: [{ streamId: made.stream.id }] });

  expect(cli.run(['workspace', 'path'], { cwd: join(made.path, 'sub') }).stdout).toBe(`${made.path}\n`);
  cli.write({ 'kept.txt': 'kept\n', 'a.txt': undefined }, made.path);
  expect(cli.data(['workspace', 'list'])).toMatchObject([
    {
      path: made.path,
      stream: { id: made.stream.id, state: 'active' },
      agent: { name: 'coder' },
      clean: false,
      changedFiles: 2,
    },
    { path: other.path, clean: true },
  ]);

  expect(cli.json(['workspace', 'destroy', made.stream.handle, '--force', '--as', 'bob'])).toMatchObject({
    code: 4,
  });
  expect(cli.json(['workspace', 'destroy'], { cwd: made.path })).toMatchObject({
    code: 5,
    error: { code: 'worktree_dirty' },
  });
  const gone = cli.data(['workspace', 'destroy', '--force'], { cwd: made.path });
  expect(gone.snapshot.ref).toMatch(/^refs\/gitswarm\/snapshots\//);
  expect(existsSync(made.path)).toBe(false);
  expect(cli.json(['workspace', 'path', made.stream.handle]).code).toBe(3);

  const back = cli.data(['workspace', 'restore', made.stream.handle, '--as', 'coder']);
  expect(back).toMatchObject({ path: made.path, files: 'restored' });
  expect(readFileSync(join(made.path, 'kept.txt'), 'utf8')).toBe('kept\n');
  expect(existsSync(join(made.path, 'a.txt'))).toBe(false);
});

it('destroying a workspace with commits that have not landed asks for --abandon, and undo brings it back', () => {
  const cli = cliFixture({ agents: ['coder'] });
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder']);
  cli.write({ 'new.txt': '1\n' }, path);
  cli.data(['commit', '-m', 'work'], { cwd: path });
  expect(cli.json(['workspace', 'destroy'], { cwd: path })).toMatchObject({
    code: 6,
    error: { code: 'unlanded_work' },
  });
  expect(cli.data(['workspace', 'destroy', stream.handle, '--abandon', '--as', 'coder'])).toMatchObject({
    stream: { state: 'abandoned' },
    snapshot: null,
  });
  expect(cli.git.git('show', `${stream.branch}:new.txt`)).toBe('1');
  cli.data(['workspace', 'restore', stream.handle, '--as', 'coder']);
  expect(readFileSync(join(path, 'new.txt'), 'utf8')).toBe('1\n');
  expect(cli.data(['stream', 'show', '.'], { cwd: path })).toMatchObject({ state: 'active', commitCount: 1 });
});

it('exec runs a program as the author, and within it nobody else acts', () => {
  const cli = cliFixture();
  const { path, stream } = cli.data(['workspace', 'create', '--as', 'coder']);
  const script = `
    const { GITSWARM_SESSION, GITSWARM_AGENT, GITSWARM_STREAM, GITSWARM_WORKSPACE, GITSWARM_ROOT } = process.env;
    console.log(JSON.stringify([GITSWARM_SESSION.length, GITSWARM_AGENT, GITSWARM_STREAM, GITSWARM_WORKSPACE, GITSWARM_ROOT, process.cwd(), process.argv[1]]));
    process.exit(7);`;
  const ran = cli.run([
    'workspace',
    'exec',
    stream.handle,
    '--as',
    'coder',
    '--',
    process.execPath,
    '-e',
    script,
    '--',
    '--json',
  ]);
  expect(ran.code).toBe(7);
  expect(JSON.parse(ran.stdout)).toEqual([64, 'coder', stream.id, path, cli.dir, path, '--json']);

  const program = join(import.meta.dirname, '../../bin/gitswarm.ts');
  const within = cli.run(
    [
      'workspace',
      'exec',
      '.',
      '--',
      process.execPath,
      program,
      'task',
      'create',
      'x',
      '--as',
      'bob',
      '--json',
    ],
    { cwd: path },
  );
  expect(within.code).toBe(4);
  expect(JSON.parse(within.stdout)).toMatchObject({ ok: false, error: { code: 'not_allowed' } });
  const ours = cli.run(
    ['workspace', 'exec', '.', '--', process.execPath, program, 'task', 'create', 'x', '--json'],
    { cwd: path },
  );
  expect(JSON.parse(ours.stdout)).toMatchObject({ ok: true });
  expect(cli.json(['workspace', 'exec', stream.handle, '--as', 'bob', '--', 'true']).code).toBe(4);
  expect(
    cli.json(['workspace', 'exec', stream.handle, '--as', 'coder', '--', 'no such program']),
  ).toMatchObject({ code: 1, error: { code: 'command_failed' } });
  expect(cli.run(['task', 'list'], { env: { GITSWARM_SESSION: 'f'.repeat(64) } }).code).toBe(4);
});

it('sync brings a workspace to what has landed since, and stops at an edit that stands in the way', () => {
  const cli = cliFixture({ mode: 'swarm' });
  const { path } = cli.data(['workspace', 'create', '--as', 'coder']);
  const other = cli.data(['workspace', 'create', '--as', 'bob']);
  cli.write({ 'a.txt': 'bob\n' }, other.path);
  cli.data(['commit', '-m', 'bob'], { cwd: other.path });
  cli.write({ 'a.txt': 'coder\n' }, path);
  expect(cli.data(['workspace', 'sync'], { cwd: path, exit: 5 })).toMatchObject({
    kind: 'behind',
    files: ['a.txt'],
  });
  expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('coder\n');
  cli.git.gitIn(path, 'checkout', '--quiet', '--', '.');
  expect(cli.data(['workspace', 'sync'], { cwd: path })).toMatchObject({ kind: 'moved' });
  expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('bob\n');
  expect(cli.data(['workspace', 'sync'], { cwd: path })).toMatchObject({ kind: 'up_to_date' });
});
