import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readEnvironment } from '../app/environment.ts';
import type { Command } from './command.ts';
import { groups } from './groups.ts';
import { main } from './main.ts';
import { createOutput } from './output/output.ts';
import { runProgram } from './run-program.ts';

const nowhere = mkdtempSync(join(tmpdir(), 'gitswarm-nowhere-'));
afterAll(() => rmSync(nowhere, { recursive: true, force: true }));

const commands: Command[] = [
  ...new Map(
    (await Promise.all(groups.map((group) => group.load())))
      .flatMap((each) => each.commands)
      .map((command) => [command.name, command]),
  ).values(),
];

/** Runs `main` with what it writes taken up. */
async function run(argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((text: string, done?: unknown) => {
      written[name] += text;
      if (typeof done === 'function') done();
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { code: await main(['-C', nowhere, ...argv]), ...written };
  } finally {
    for (const name of ['stdout', 'stderr'] as const) process[name].write = originals[name];
  }
}

it.each(commands.map((command) => [command.name, command] as const))(
  '%s has a summary, a help, and an error document for what nobody meant',
  async (name, command) => {
    expect(command.summary).toMatch(/^[A-Z].*[^\s]$/);
    const help = await run([...name.split(' '), '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: gitswarm ${name}`);
    expect(Math.max(...help.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const example of command.examples ?? []) expect(help.stdout).toContain(example);

    const asData = await run(['help', ...name.split(' '), '--json']);
    const { ok, data } = JSON.parse(asData.stdout);
    expect({ ok, name: data.name, summary: data.summary }).toEqual({
      ok: true,
      name,
      summary: command.summary,
    });

    const wrong = await run([...name.split(' '), '--no-such-flag', '--json']);
    expect(wrong).toMatchObject({ code: 2, stderr: '' });
    expect(wrong.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      ok: false,
      error: { code: 'usage', fix: `gitswarm ${name} --help` },
    });
  },
);

it('every example is a command line that its parser takes', async () => {
  const output = createOutput({ json: true, quiet: true, color: false, isTerminal: false, ...silent() });
  for (const command of commands) {
    for (const example of (command.examples ?? []).filter((each) => each.startsWith('gitswarm '))) {
      const line = example.replace(/ > .*$/, '');
      const words = line.match(/"[^"]*"|\S+/g)?.map((word) => word.replace(/^"|"$/g, '')) ?? [];
      let taken = '';
      const stub = commands.map((each) => ({ ...each, run: () => finish(() => (taken = each.name)) }));
      const group = stub.filter((each) => each.name.split(' ')[0] === words[1]);
      const given = { commands: group, output, environment: readEnvironment({}) };
      await runProgram(words.slice(1), given).catch((error) => {
        if (error.message !== 'taken') throw error;
      });
      expect(taken, example).toMatch(new RegExp(`^${words[1]}`));
    }
  }
});

function finish(note: () => void): Promise<never> {
  note();
  return Promise.reject(new Error('taken'));
}

function silent() {
  const write = (_: string, done: () => void) => {
    done();
    return true;
  };
  const sink = { write, on: () => undefined };
  return { stdout: sink, stderr: sink };
}

it('the overview fits on a screen of 80 columns and 25 lines', async () => {
  const { stdout } = await run(['help']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeLessThan(25);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  for (const group of groups) expect(stdout).toContain(group.name);
});

it.each([
  [['tsk', 'list'], 'Did you mean "task"?'],
  [['task', 'crate', 'x'], 'Did you mean "gitswarm task create"?'],
  [['repo', 'maintainer', 'ad', 'x'], 'Did you mean "gitswarm repo maintainer add"?'],
  [['stabilize', 'histroy'], 'Did you mean "gitswarm stabilize history"?'],
  [['log', '--limt', '3'], 'Did you mean --limit?'],
  [['init', '--mode', 'swram'], 'Did you mean "swarm"?'],
  [['task', 'create', 'x', '--priority', 'hihg'], 'Did you mean "high"?'],
  [['completion', 'bsh'], 'Did you mean "bash"?'],
  [['schema', 'task.crate'], 'Did you mean "task.create"?'],
  [['--jsn'], 'Did you mean "--json"?'],
  [['review'], 'wants one of: submit'],
  [['--as'], '--as wants <agent>'],
])('%j names what was meant', async (argv, words) => {
  const { code, stdout, stderr } = await run(argv);
  expect({ code: code === 3 ? 2 : code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

it('flags stand before and after the command', async () => {
  for (const argv of [
    ['--json', 'task', 'list'],
    ['task', '--json', 'list'],
    ['task', 'list', '--json'],
  ]) {
    const { code, stdout } = await run(argv);
    expect({ code, error: JSON.parse(stdout).error.code }).toEqual({ code: 3, error: 'not_a_repository' });
  }
});

it('every schema is a JSON document', async () => {
  const { stdout } = await run(['schema', '--json']);
  for (const name of JSON.parse(stdout).data) {
    const schema = await run(['schema', name]);
    expect(typeof JSON.parse(schema.stdout), name).toBe('object');
  }
});

it('bash completes commands, flags, choices and the words of arguments', async () => {
  const { stdout: script } = await run(['completion', 'bash']);
  const complete = (...words: string[]) => {
    const ask = `COMP_WORDS=(gitswarm "$@"); COMP_CWORD=$#; _gitswarm; printf '%s ' "\${COMPREPLY[@]}"`;
    const ran = spawnSync('bash', ['--norc', '-c', `${script}\n${ask}`, 'bash', ...words], {
      encoding: 'utf8',
    });
    return ran.stdout.trim();
  };
  expect(complete('st')).toBe('stabilize stage status stream');
  expect(complete('--as', 'coder', 'task', 'cr')).toBe('create');
  expect(complete('help', 'repo', 'maintainer', '')).toBe('add list remove');
  expect(complete('task', 'create', '--priority', 'c')).toBe('critical');
  expect(complete('commit', '--mes')).toBe('--message');
  expect(complete('completion', '')).toBe('bash fish zsh');
  expect(complete('review', 'submit', 's-3fxa', 'app')).toBe('approve');
});
