import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SwarmError } from '../contract/errors.ts';
import { type GitEnv, withHooks } from './git-env.ts';
import { SpawnHelper } from './spawn-helper.ts';

/** Where git runs and with which environment. A Repository is one. */
export interface GitPlace {
  readonly dir: string;
  readonly env: GitEnv;
  /** Starts programs for us where our own process is too large to do it quickly. */
  readonly helper?: SpawnHelper | undefined;
}

export interface RunOptions {
  cwd?: string;
  input?: string | Uint8Array;
  /** An open file whose rest, from where it stands, is the input instead. It stays the caller's to close. */
  inputFile?: number;
  /** Exit codes that are answers, not failures. Default: only 0. */
  okExits?: readonly number[];
  /** Added to the place's environment; undefined takes a variable away. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Bytes of output after which the process is ended. Default: 1 GiB. */
  maxBuffer?: number;
  signal?: AbortSignal;
  /** Ends git, and what it started, after so many milliseconds: `timed_out`. For calls that ask another machine. */
  timeoutMs?: number;
  /** Lets the hooks of the repository run: only for a commit an agent asked for. */
  hooks?: boolean;
}

export interface GitResult<T = string> {
  stdout: T;
  stderr: string;
  code: number;
}

const ONE_GIB = 1024 ** 3;

/** Runs git once, without a shell, and returns what it printed. Throws `git_failed` with git's own words. */
export async function runGit(
  place: GitPlace,
  args: readonly string[],
  options: RunOptions = {},
): Promise<GitResult> {
  const result = await runGitBytes(place, args, options);
  return { ...result, stdout: result.stdout.toString('utf8') };
}

/** Like runGit, for output that is not text. */
export async function runGitBytes(
  place: GitPlace,
  args: readonly string[],
  options: RunOptions = {},
): Promise<GitResult<Buffer>> {
  const cwd = options.cwd ?? place.dir;
  const result = (await runByHelper(place, args, options)) ?? (await runByUs(place, args, options));
  if (!(options.okExits ?? [0]).includes(result.code)) throw gitFailed(args, cwd, result);
  return result;
}

/** Undefined for what the helper cannot do: input, hooks, limits, words of several lines. */
async function runByHelper(
  { helper, dir }: GitPlace,
  args: readonly string[],
  { cwd = dir, env = {}, input, inputFile, hooks, ...limits }: RunOptions,
): Promise<GitResult<Buffer> | undefined> {
  const hasInput = input || inputFile !== undefined;
  const isPlain = !hasInput && !hooks && !limits.signal && !limits.timeoutMs && !limits.maxBuffer;
  if (!helper || !isPlain) return undefined;
  const words = [...settingEnv(env), 'git', ...args];
  if (!SpawnHelper.takes(words, cwd)) return undefined;
  const result = await helper.run(words, cwd, ONE_GIB);
  if (result.isTooLong) throw tooLong(args, ONE_GIB);
  if (result.code !== 0 && !existsSync(cwd)) throw notStarted(new Error(result.stderr), cwd, args);
  return result;
}

/** The words that change the environment of the program after them. */
function settingEnv(env: Readonly<Record<string, string | undefined>>): string[] {
  const changes = Object.entries(env);
  if (changes.length === 0) return [];
  const unset = changes.flatMap(([name, value]) => (value === undefined ? ['-u', name] : []));
  const set = changes.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return ['env', ...unset, ...set];
}

async function runByUs(
  place: GitPlace,
  args: readonly string[],
  options: RunOptions,
): Promise<GitResult<Buffer>> {
  const cwd = options.cwd ?? place.dir;
  const child = spawn('git', args, {
    cwd,
    env: environment(place, options),
    stdio: [options.inputFile ?? 'pipe', 'pipe', 'pipe'],
    // A group of its own can be ended as a whole: what git has started would hold its pipes open.
    ...(options.timeoutMs === undefined ? {} : { detached: true }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return collect(child, options, cwd, args);
}

/** The error for a git that ended badly: what ran, where, and everything git said about it. */
export function gitFailed(
  args: readonly string[],
  cwd: string,
  result: { stdout: string | Buffer; stderr: string; code: number },
): SwarmError {
  const words = gitWords(result);
  return new SwarmError(
    'git_failed',
    `git ${args[0] ?? ''} failed in ${cwd} (exit ${result.code}): ${words}`,
    {
      details: { args: [...args], cwd, exit: result.code, output: words },
    },
  );
}

/** What git said, from both of its outputs: it prints some reasons on stdout. */
export function gitWords({ stdout, stderr }: { stdout: string | Buffer; stderr: string }): string {
  const said = `${stderr.trim()}\n${stdout.toString('utf8').trim()}`.trim();
  if (said === '') return 'git printed no reason';
  return said.length > 8000 ? `${said.slice(0, 8000)}…` : said;
}

function environment(place: GitPlace, options: RunOptions): Record<string, string | undefined> {
  return { ...(options.hooks ? withHooks(place.env) : place.env), ...options.env };
}

function collect(
  child: ChildProcess,
  options: RunOptions,
  cwd: string,
  args: readonly string[],
): Promise<GitResult<Buffer>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const errors: Buffer[] = [];
    const limit = options.maxBuffer ?? ONE_GIB;
    let size = 0;
    let failure: SwarmError | undefined;
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit || failure) return;
      failure = tooLong(args, limit);
      child.kill();
    });
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    // Node ends git alone, and what git has started would go on waiting for the other machine.
    if (options.timeoutMs !== undefined)
      options.signal?.addEventListener('abort', () => killGroup(child), { once: true });
    const timer = limitTime(child, options.timeoutMs, () => {
      failure = new SwarmError('timed_out', `git ${args[0]} took longer than ${options.timeoutMs} ms`);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(notStarted(error, cwd, args));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (failure) return reject(failure);
      const stderr = Buffer.concat(errors).toString('utf8');
      const result = { stdout: Buffer.concat(chunks), stderr, code: code ?? -1 };
      if (code === null) result.stderr += `ended by ${signal}`;
      resolve(result);
    });
    // git may end without reading all of its input; its exit code tells the story then.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

function tooLong(args: readonly string[], limit: number): SwarmError {
  return new SwarmError('too_large', `git ${args[0]} printed more than ${limit} bytes`);
}

function limitTime(
  child: ChildProcess,
  timeoutMs: number | undefined,
  isOver: () => void,
): NodeJS.Timeout | undefined {
  if (timeoutMs === undefined) return undefined;
  return setTimeout(() => {
    isOver();
    killGroup(child);
  }, timeoutMs);
}

function killGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // no groups here, or it is over already
  }
}

function notStarted(error: Error, cwd: string, args: readonly string[]): SwarmError {
  if (error.name === 'AbortError') {
    return new SwarmError('interrupted', `git ${args[0]} was interrupted`, { cause: error });
  }
  if (!existsSync(cwd)) {
    return new SwarmError('not_found', `The directory ${cwd} does not exist`, { cause: error });
  }
  return new SwarmError('git_failed', `git could not be started: ${error.message}`, {
    cause: error,
    fix: 'install git 2.38 or newer and put it on the PATH',
  });
}
