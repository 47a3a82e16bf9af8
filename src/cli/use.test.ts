import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CliFixture, cliFixture } from '../../test/support/cli.ts';
import { type Files, gitFixture } from '../../test/support/git-fixture.ts';
import { KEPT, PROGRAM } from '../../test/support/program.ts';

/** A repository of Nora's in which nothing was initialised. */
function bareGround(files: Files = { 'a.txt': 'a\n' }): CliFixture {
  const git = gitFixture({ branch: 'main' });
  git.git('config', 'user.name', 'Nora');
  git.commit('begin', files);
  return new CliFixture(git, git.dir);
}

/** The command of a `next:` or `undo:` line. */
function hint(stdout: string, kind: 'next' | 'undo'): string {
  return new RegExp(`^${kind}: (.*)$`, 'm').exec(stdout)?.[1] ?? '';
}

/** Runs such a line as somebody who pasted it: through a shell. */
function paste(cli: CliFixture, line: string, cwd = cli.dir) {
  const bin = join(cli.git.top, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = join(bin, 'gitswarm');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(file, 0o755);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    ...KEPT,
    HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  return spawnSync('/bin/sh', ['-c', line], { cwd, env, encoding: 'utf8' });
}

it('what is told as the next step works when it is pasted, with blanks and quotes in every name', () => {
  const cli = cliFixture({ agents: [], folder: "repo of O'Neil" });
  const registered = cli.run(['agent', 'register', "coder o'two", '--as', 'Olga']);
  cli.data(['task', 'create', 'Add a cache', '--as', 'Olga']);
  const claimed = paste(cli, hint(registered.stdout, 'next'));
  expect(claimed.stdout).toContain('claimed t-');
  const made = paste(cli, hint(claimed.stdout, 'next'));
  expect(made.stdout).toContain("for coder o'two");
  const path = cli.data(['workspace', 'list'])[0].path;
  expect(paste(cli, `${hint(made.stdout, 'next')} && pwd`).stdout.trim()).toBe(path);
  cli.write({ 'new.txt': 'n\n' }, path);
  const committed = cli.run(['commit', 'n'], { cwd: path });
  const asked = paste(cli, hint(committed.stdout, 'next'), path);
  expect(hint(asked.stdout, 'next')).toMatch(/approve --as <reviewer>$/);
  cli.run(['diff', 'Add a cache', '--as', 'Olga']);
  const judged = cli.run(['review', 'approve', 'Add a cache', '--as', 'Olga']);
  const landed = paste(cli, hint(judged.stdout, 'next'));
  expect(landed.stdout).toContain('landed s-');
  expect(hint(landed.stdout, 'next')).toBe('gitswarm promote --as <maintainer>');
  expect(paste(cli, hint(landed.stdout, 'undo').replace('<maintainer>', 'Olga')).stdout).toContain(
    'reverted',
  );
});

it('a mistyped agent, task or stream is told with the nearest one', () => {
  const cli = cliFixture();
  const task = cli.data(['task', 'create', 'Add a cache', '--as', 'coder']);
  cli.data(['workspace', 'create', '--name', 'login page', '--as', 'coder']);
  for (const [args, meant] of [
    [['agent', 'show', 'codr'], 'coder'],
    [['task', 'show', 'Add a cash'], 'Add a cache'],
    [['stream', 'show', 'logn page'], 'login page'],
  ] as const) {
    const { code, error } = cli.json([...args]);
    expect({ code, meant: error.message }, args.join(' ')).toEqual({
      code: 3,
      meant: expect.stringContaining(`(${meant})?`),
    });
  }
  expect(cli.json(['task', 'create', 'x', '--as', 'bo b']).error.fix).toBe("gitswarm agent register 'bo b'");
  expect(cli.data(['task', 'show', task.handle.toUpperCase().replace('T-', 't-')]).id).toBe(task.id);
});

/** Everything in a repository but objects, the index and directories' times. */
function picture(dir: string): string {
  const seen: string[] = [];
  const walk = (at: string) => {
    for (const entry of readdirSync(join(dir, at), { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (path === join('.git', 'objects') || path === join('.git', 'index')) continue;
      if (entry.isDirectory()) walk(path);
      const bytes = entry.isFile()
        ? createHash('sha1')
            .update(readFileSync(join(dir, path)))
            .digest('hex')
        : '';
      seen.push(`${path} ${bytes}`);
    }
  };
  walk('');
  return seen.sort().join('\n');
}

it.each([
  ['no exclude file', undefined],
  ['an exclude file without an end of line', 'mine'],
  ['an exclude file', 'mine\n'],
])('uninit leaves every byte as it was before init: %s', (_title, exclude) => {
  const cli = bareGround();
  const { dir } = cli;
  const info = join(dir, '.git', 'info');
  rmSync(info, { recursive: true, force: true });
  if (exclude !== undefined) {
    mkdirSync(info);
    writeFileSync(join(info, 'exclude'), exclude);
  }
  const before = picture(dir);
  cli.data(['init']);
  if (exclude === 'mine\n') {
    cli.data(['agent', 'register', 'coder', '--as', 'Nora']);
    cli.data(['workspace', 'create', '--as', 'coder']);
  }
  expect(cli.data(['uninit', '--as', 'Nora']).kept).toEqual([]);
  expect(picture(dir)).toBe(before);
});

it('uninit says what it leaves: settings that were changed, and tags of green commits', () => {
  const cli = cliFixture({ agents: [] });
  cli.data(['config', 'set', 'stabilize_command', 'true', '--as', 'Olga']);
  cli.data(['stabilize', '--as', 'Olga']);
  const { kept } = cli.data(['uninit', '--as', 'Olga']);
  expect(kept.join('\n')).toMatch(/tags\/green.*\n.*config\.yml/);
});

it('init takes the command it proposes with --yes, and without a terminal never asks', () => {
  const cli = bareGround({ 'package.json': '{"scripts":{"test":"node --test"}}' });
  const proposed = cli.data(['init']);
  expect(proposed).toMatchObject({ created: true, proposedStabilize: 'npm test', owner: { name: 'Nora' } });
  cli.data(['uninit', '--as', 'Nora']);
  expect(cli.data(['init', '--yes']).proposedStabilize).toBeNull();
  const { settings, untrusted } = cli.data(['config', 'list']);
  expect(untrusted).toEqual([]);
  expect(settings).toContainEqual(expect.objectContaining({ key: 'stabilize_command', value: 'npm test' }));
});

it('a git that is too old, a place that is no directory and a full disk are told in words', () => {
  const cli = cliFixture({ agents: [] });
  const bin = join(cli.git.top, 'old');
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), '#!/bin/sh\necho git version 2.30.2\n');
  chmodSync(join(bin, 'git'), 0o755);
  const old = cli.json(['status'], { env: { PATH: `${bin}:${process.env.PATH}` } });
  expect({ code: old.code, error: old.error }).toEqual({
    code: 1,
    error: expect.objectContaining({ code: 'git_too_old', message: expect.stringContaining('2.30.2') }),
  });
  const file = cli.json(['-C', join(cli.dir, 'a.txt'), 'status']);
  expect(file).toMatchObject({ code: 3, error: { code: 'not_found' } });
  if (!existsSync('/dev/full')) return;
  const full = paste(cli, 'gitswarm status > /dev/full');
  expect({ code: full.status, lines: full.stderr.trim().split('\n')[0] }).toEqual({
    code: 1,
    lines: expect.stringContaining('could not be written'),
  });
});

/** Starts a command, interrupts it as soon as it says `word`, and answers how it ended. */
function interrupt(
  cli: CliFixture,
  args: string[],
  word: RegExp,
): Promise<{ code: number | null; stdout: string }> {
  const env = { PATH: process.env.PATH ?? '', ...KEPT, HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null' };
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: cli.dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (word.test(stderr)) child.kill('SIGINT');
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout })));
}

/** Follows the log until `next`, done once something was told, is told as well; answers what stood on both outputs. */
function follow(cli: CliFixture, flags: string[], next: { act: () => void; word: RegExp }) {
  const env = { PATH: process.env.PATH ?? '', ...KEPT, HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null' };
  const args = [PROGRAM, 'log', '--follow', ...flags];
  const child = spawn(process.execPath, args, { cwd: cli.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  let isDone = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (!isDone) next.act();
    isDone = true;
    if (next.word.test(stdout)) child.kill('SIGINT');
  });
  return new Promise<{ lines: string[]; stderr: string }>((resolve) =>
    child.on('close', () => resolve({ lines: stdout.trimEnd().split('\n'), stderr })),
  );
}

it('a log that is followed is a stream on stdout: a document a line to programs, a line to people', async () => {
  const cli = cliFixture({ agents: [] });
  const register = (name: string) => ({
    act: () => void cli.data(['agent', 'register', name, '--as', 'Olga']),
    word: new RegExp(`agent\\.registered.*${name}`),
  });
  const json = await follow(cli, ['--json', '--quiet'], register('newcomer'));
  const events = json.lines.map((line) => JSON.parse(line));
  expect(events.length).toBeGreaterThan(1);
  expect(events.at(-1)).toMatchObject({ type: 'agent.registered', data: { name: 'newcomer' } });
  expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b));
  const plain = await follow(cli, ['--quiet'], register('another'));
  for (const line of plain.lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+ {2}\S+ {2}[a-z_]+\.[a-z_]+/);
  expect(plain.lines.length).toBe(events.length + 1);
});

it('Ctrl-C during a test ends the command, decides nothing, and is one document with exit 130', async () => {
  const cli = cliFixture({ agents: [] });
  cli.data(['config', 'set', 'stabilize_command', 'sleep 600', '--as', 'Olga']);
  const { code, stdout } = await interrupt(cli, ['stabilize', '--as', 'Olga', '--json'], /testing/);
  expect({ code, document: JSON.parse(stdout) }).toMatchObject({
    code: 130,
    document: { ok: false, error: { code: 'interrupted' } },
  });
  expect(cli.data(['stabilize', 'history'])).toEqual([]);
  expect(cli.data(['doctor']).remaining).toBe(0);
  cli.data(['workspace', 'create', '--name', 'w', '--as', 'Olga']);
  cli.write({ 'new.txt': 'n\n' }, cli.data(['workspace', 'path', 'w']).path);
  cli.data(['commit', 'n', '--as', 'Olga']);
  const merge = await interrupt(cli, ['merge', 'w', '--as', 'Olga', '--json'], /testing/);
  expect({ code: merge.code, error: JSON.parse(merge.stdout).error.code }).toEqual({
    code: 130,
    error: 'interrupted',
  });
  expect(cli.data(['stream', 'show', 'w']).state).toBe('queued');
});

const hasScript = spawnSync('script', ['--version']).status === 0;

/** Runs a line on a terminal of its own, with what a person would type. */
function atTerminal(cli: CliFixture, line: string, typed: string): string {
  const quoted = `'${line.replaceAll("'", `'\\''`)}'`;
  return paste(cli, `printf '${typed}' | script -qec ${quoted} /dev/null`).stdout;
}

it.skipIf(!hasScript)('at a terminal an owner is shown an unknown command word for word, and asked', () => {
  const settings = 'stabilize_command: "echo one;  echo two"\n';
  const cli = bareGround({ 'a.txt': 'a\n', '.gitswarm/config.yml': settings });
  cli.data(['init']);
  expect(cli.json(['stabilize', '--as', 'Nora', '--yes'])).toMatchObject({
    code: 4,
    error: { code: 'untrusted_command' },
  });
  cli.data(['agent', 'register', 'coder']);
  expect(cli.json(['config', 'trust', '--as', 'coder'])).toMatchObject({
    code: 4,
    error: { code: 'not_allowed' },
  });
  expect(cli.data(['config', 'list']).untrusted).toHaveLength(1);
  const declined = atTerminal(cli, 'gitswarm stabilize', 'n\\n');
  expect(declined).toContain('"echo one;  echo two"');
  expect(declined).toContain('has not been approved');
  expect(atTerminal(cli, 'gitswarm stabilize', 'y\\n')).toContain('GREEN');
  expect(cli.data(['config', 'list']).untrusted).toEqual([]);
});

it.skipIf(!hasScript)(
  'at a terminal init asks about the command it found: Return takes it, the end of input does not',
  () => {
    for (const [typed, command] of [
      ['\\n', 'make test'],
      ['\\004', null],
    ] as const) {
      const cli = bareGround({ Makefile: 'test:\n\ttrue\n' });
      expect(atTerminal(cli, 'gitswarm init', typed)).toContain('[Y/n]');
      expect(cli.data(['config', 'get', 'stabilize_command']).value).toBe(command);
    }
  },
);
