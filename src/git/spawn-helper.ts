import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { keepAwake } from './coprocess.ts';
import type { GitEnv } from './git-env.ts';

/** What a program printed, and its exit code: -1 where it did not end by itself. */
export interface Ran {
  stdout: Buffer;
  stderr: string;
  code: number;
  /** It printed more than it may, and was ended for that. */
  isTooLong?: boolean;
}

/**
 * Runs what it is told, one program after the other. What it is told is read as data, line by line, and never parsed:
 * a mark, a directory, the number of words, the words. The mark ends both outputs.
 */
const LOOP = `while IFS= read -r mark; do
  IFS= read -r dir; IFS= read -r count; set --
  while [ "$count" -gt 0 ]; do IFS= read -r word; set -- "$@" "$word"; count=$((count - 1)); done
  (cd -- "$dir" && exec "$@") </dev/null
  printf '%s %s\\n' "$mark" "$?"; printf '%s\\n' "$mark" >&2
done`;

/** More at once gain nothing on the cores of one repository's work. */
const MOST_SHELLS = 4;

/**
 * Starts programs from small processes. Starting one from ours takes longer the more memory ours holds (1.7 ms at 45 MB,
 * 8 ms at 260 MB), and everything else waits meanwhile.
 */
export class SpawnHelper {
  readonly #env: GitEnv;
  readonly #shells = new Set<Shell>();
  readonly #idle: Shell[] = [];
  readonly #waiting: ((shell: Shell) => void)[] = [];

  constructor(env: GitEnv) {
    this.#env = env;
  }

  /** True for words and a directory that fit on a line each. */
  static takes(words: readonly string[], cwd: string): boolean {
    return process.platform !== 'win32' && ![...words, cwd].some((text) => /[\n\0]/.test(text));
  }

  /**
   * Runs a program without input, which may print so many bytes. Where its helper dies with it the code is -1: it may
   * have done its work or not.
   */
  async run(words: readonly string[], cwd: string, mostBytes = Number.POSITIVE_INFINITY): Promise<Ran> {
    const shell = await this.#takeShell();
    try {
      return await shell.run(words, cwd, mostBytes);
    } finally {
      this.#giveBack(shell);
    }
  }

  async close(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#shells].map((shell) => shell.close()));
    this.#shells.clear();
  }

  #takeShell(): Promise<Shell> {
    for (let shell = this.#idle.pop(); shell; shell = this.#idle.pop()) {
      if (shell.alive) return Promise.resolve(shell);
      this.#shells.delete(shell);
    }
    if (this.#shells.size < MOST_SHELLS) return Promise.resolve(this.#startShell());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #startShell(): Shell {
    const shell = new Shell(this.#env);
    this.#shells.add(shell);
    return shell;
  }

  #giveBack(shell: Shell): void {
    if (!shell.alive) this.#shells.delete(shell);
    const next = this.#waiting.shift();
    if (next) next(shell.alive ? shell : this.#startShell());
    else if (shell.alive) this.#idle.push(shell);
  }
}

/** Of the exit code after a mark, with what is around it. */
const STATUS_BYTES = 8;

/** One `sh` with one program at a time. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone: Promise<void>;
  #isGone = false;
  #stdout: Buffer[] = [];
  #stderr: Buffer[] = [];
  #left = 0;
  #look: () => void = () => {};

  constructor(env: GitEnv) {
    this.#child = spawn('sh', ['-c', LOOP], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.#left -= bytes.length;
      if (this.#left < 0) return this.#cutOff();
      this.#stdout.push(bytes);
      this.#look();
    });
    this.#child.stderr.on('data', (bytes: Buffer) => {
      this.#stderr.push(bytes);
      this.#look();
    });
    this.#gone = new Promise((resolve) => {
      const end = () => {
        this.#isGone = true;
        this.#look();
        resolve();
      };
      this.#child.on('error', end);
      this.#child.on('close', end);
    });
    keepAwake(this.#child, false);
  }

  get alive(): boolean {
    return !this.#isGone && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async run(words: readonly string[], cwd: string, mostBytes: number): Promise<Ran> {
    const mark = randomBytes(16).toString('hex');
    this.#left = mostBytes + mark.length + STATUS_BYTES;
    keepAwake(this.#child, true);
    this.#child.stdin.write([mark, cwd, String(words.length), ...words, ''].join('\n'));
    try {
      return await new Promise<Ran>((resolve) => {
        this.#look = () => {
          const ran = this.#isGone ? this.#cutShort() : this.#ended(mark);
          if (ran) resolve(ran);
        };
        this.#look();
      });
    } finally {
      this.#look = () => {};
      this.#stdout = [];
      this.#stderr = [];
      keepAwake(this.#child, false);
    }
  }

  async close(): Promise<void> {
    keepAwake(this.#child, true);
    this.#child.stdin.end();
    await this.#gone;
  }

  #ended(mark: string): Ran | undefined {
    const said = endOf(this.#stdout, mark.length + STATUS_BYTES);
    const found = new RegExp(`${mark} (\\d+)\\n$`).exec(said);
    if (!found || !endOf(this.#stderr, mark.length + 1).endsWith(`${mark}\n`)) return undefined;
    const stdout = Buffer.concat(this.#stdout);
    const stderr = Buffer.concat(this.#stderr);
    return ranWith(Number(found[1]), {
      stdout: stdout.subarray(0, stdout.length - found[0].length),
      stderr: stderr.toString('utf8', 0, stderr.length - mark.length - 1),
    });
  }

  /** Nobody reads on, which ends the program as soon as it prints more. */
  #cutOff(): void {
    this.#stdout = [];
    this.#child.kill('SIGKILL');
    this.#child.stdout.destroy();
  }

  #cutShort(): Ran {
    const stderr = Buffer.concat(this.#stderr).toString('utf8');
    const ran = { stdout: Buffer.concat(this.#stdout), stderr: `${stderr}its helper was ended`, code: -1 };
    return this.#left < 0 ? { ...ran, isTooLong: true } : ran;
  }
}

/** The last bytes of what came so far; an answer may come in any number of pieces. */
function endOf(pieces: Buffer[], length: number): string {
  let end = pieces.at(-1) ?? Buffer.alloc(0);
  for (let i = pieces.length - 2; i >= 0 && end.length < length; i--)
    end = Buffer.concat([pieces[i] ?? Buffer.alloc(0), end]);
  return end.toString('latin1', Math.max(0, end.length - length));
}

/** A shell tells of signals as 128 and their number; git itself ends with 128 and 129. */
function ranWith(status: number, { stdout, stderr }: { stdout: Buffer; stderr: string }): Ran {
  if (status < 130) return { stdout, stderr, code: status };
  return { stdout, stderr: `${stderr}ended by signal ${status - 128}`, code: -1 };
}
