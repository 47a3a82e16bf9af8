import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { GitEnv } from './git-env.ts';

/** What a parser makes of the bytes so far: a value and where it ends, or how many bytes it needs at least. */
export type Parsed<T> = { value: T; end: number } | { need: number };

export type Parser<T> = (bytes: Buffer) => Parsed<T>;

export interface CoprocessStart {
  args: readonly string[];
  cwd: string;
  env: GitEnv;
  /** A program in front of git, such as `stdbuf -o0`. */
  prefix?: readonly string[];
}

/** The process ended while questions were open; whoever owns it starts another one and asks again. */
export class CoprocessDied extends Error {
  readonly stderr: string;
  readonly code: number | null;

  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args[0] ?? ''} ended (exit ${code ?? 'by signal'}): ${stderr.trim()}`);
    this.stderr = stderr;
    this.code = code;
  }
}

interface Question {
  parse: Parser<unknown>;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * One long-lived git that answers questions in the order they were asked. It keeps Node alive only while a question
 * is open, so a program that forgets to close it still ends (and the closed pipe ends git).
 */
export class Coprocess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #args: readonly string[];
  readonly #questions: Question[] = [];
  readonly #gone: Promise<void>;
  #chunks: Buffer[] = [];
  #size = 0;
  #need = 1;
  #stderr = '';
  #dead: CoprocessDied | undefined;

  constructor({ args, cwd, env, prefix = [] }: CoprocessStart) {
    const [program = 'git', ...rest] = [...prefix, 'git', ...args];
    this.#args = args;
    this.#child = spawn(program, rest, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-8000);
    });
    this.#child.stdin.on('error', () => {});
    this.#gone = new Promise((resolve) => {
      this.#child.on('error', (error) => this.#die(null, error.message, resolve));
      this.#child.on('close', (code) => this.#die(code, this.#stderr, resolve));
    });
    this.#hold(false);
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /** Sends one question; the answer is what `parse` makes of the next bytes. Rejects with CoprocessDied. */
  ask<T>(question: string | Uint8Array, parse: Parser<T>): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise<T>((resolve, reject) => {
      if (this.#questions.length === 0) this.#hold(true);
      this.#questions.push({ parse, resolve: (value) => resolve(value as T), reject });
      this.#child.stdin.write(question);
    });
  }

  /** Ends the input, which ends git, and waits until it is gone. */
  async close(): Promise<void> {
    this.#hold(true);
    this.#child.stdin.end();
    await this.#gone;
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#hold(true);
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#need) return;
    let bytes = Buffer.concat(this.#chunks);
    this.#need = 1;
    for (let next = this.#questions[0]; next && bytes.length > 0; next = this.#questions[0]) {
      const parsed = parseSafely(next.parse, bytes);
      if ('need' in parsed) {
        this.#need = parsed.need;
        break;
      }
      this.#questions.shift();
      bytes = bytes.subarray(parsed.end);
      if ('error' in parsed) next.reject(parsed.error);
      else next.resolve(parsed.value);
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#size = bytes.length;
    if (this.#questions.length === 0) this.#hold(false);
  }

  #die(code: number | null, stderr: string, resolve: () => void): void {
    this.#dead ??= new CoprocessDied(this.#args, code, stderr);
    for (const question of this.#questions.splice(0)) question.reject(this.#dead);
    resolve();
  }

  #hold(on: boolean): void {
    keepAwake(this.#child, on);
  }
}

/** Whether a running child keeps Node alive. */
export function keepAwake(child: ChildProcessWithoutNullStreams, on: boolean): void {
  for (const part of [child, child.stdin, child.stdout, child.stderr]) {
    const method = on ? 'ref' : 'unref';
    const call: unknown = Reflect.get(part, method);
    if (typeof call === 'function') call.call(part);
  }
}

function parseSafely<T>(
  parse: Parser<T>,
  bytes: Buffer,
): { value: T; end: number } | { need: number } | { error: Error; end: number } {
  try {
    return parse(bytes);
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)), end: bytes.length };
  }
}

/** Parser of one line without its newline. */
export function parseLine(bytes: Buffer): Parsed<string> {
  const end = bytes.indexOf(10);
  return end < 0 ? { need: bytes.length + 1 } : { value: bytes.toString('utf8', 0, end), end: end + 1 };
}
