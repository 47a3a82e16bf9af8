import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Files, type GitFixture, gitFixture } from './git-fixture.ts';
import { KEPT, PROGRAM } from './program.ts';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a command printed with `--json`. The parts are checked by the tests, so they are left open here. */
export interface Answered {
  code: number | null;
  ok: boolean;
  data: ReturnType<JSON['parse']>;
  error: { code: string; message: string; fix?: string };
  stderr: string;
}

/** The real program, run as a process in a real repository with a blank, a quote and an umlaut on its path. */
export class CliFixture {
  readonly git: GitFixture;
  readonly dir: string;

  constructor(git: GitFixture, dir: string) {
    this.git = git;
    this.dir = dir;
  }

  /** Runs `gitswarm …`; nobody sits at its stdin. */
  run(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Ran {
    const result = spawnSync(process.execPath, [PROGRAM, ...args], {
      cwd: options.cwd ?? this.dir,
      env: { ...cleanEnvironment(), ...options.env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { code: result.status, stdout: result.stdout, stderr: result.stderr };
  }

  /** The same with `--json`: exactly one document on stdout. */
  json(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Answered {
    const end = args.indexOf('--');
    const flagged = end < 0 ? [...args, '--json'] : [...args.slice(0, end), '--json', ...args.slice(end)];
    const ran = this.run(flagged, options);
    expect(ran.stdout.trimEnd().split('\n'), `${args.join(' ')}\n${ran.stderr}`).toHaveLength(1);
    return { ...JSON.parse(ran.stdout), code: ran.code, stderr: ran.stderr };
  }

  /** The data of a command that must do what it is asked. */
  data(args: string[], options: { cwd?: string; env?: Record<string, string>; exit?: number } = {}) {
    const answered = this.json(args, options);
    expect({ code: answered.code, error: answered.error }, args.join(' ')).toEqual({
      code: options.exit ?? 0,
      error: undefined,
    });
    return answered.data;
  }

  write(files: Files, dir: string): void {
    this.git.write(files, dir);
  }
}

/** A repository in which GitSwarm is initialised, owned by Olga, with the agents that are named registered. */
export function cliFixture(
  options: {
    mode?: 'review' | 'swarm' | 'gated';
    model?: 'solo' | 'guild' | 'open';
    agents?: string[];
    files?: Files;
    folder?: string;
  } = {},
): CliFixture {
  const git = gitFixture({ branch: 'main' });
  const dir = options.folder === undefined ? git.dir : join(git.top, options.folder);
  if (dir !== git.dir) {
    mkdirSync(dir, { recursive: true });
    git.gitIn(dir, 'init', '--quiet', '--initial-branch=main');
  }
  git.gitIn(dir, 'config', 'user.name', 'Olga');
  git.gitIn(dir, 'config', 'user.email', 'olga@example.org');
  git.commit('begin', options.files ?? { 'a.txt': 'one\ntwo\nthree\n', 'sub/b.txt': 'b\n' }, dir);
  const cli = new CliFixture(git, dir);
  cli.data(['init', '--mode', options.mode ?? 'review', '--model', options.model ?? 'solo']);
  for (const name of options.agents ?? ['coder', 'bob'])
    cli.data(['agent', 'register', name, '--as', 'Olga']);
  return cli;
}

function cleanEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    ...KEPT,
    HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
}
