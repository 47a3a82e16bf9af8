import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GitRan {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Reads a directory and words, a line each after their number, runs git with them, and tells its exit code. */
const LOOP = `exec 3<"$1/ask" 4>"$1/tell"
while IFS= read -r dir <&3; do
  IFS= read -r count <&3; set -- "$1"
  while [ "$count" -gt 0 ]; do IFS= read -r word <&3; set -- "$@" "$word"; count=$((count - 1)); done
  (cd -- "$dir" && shift && exec git "$@" </dev/null 3<&- 4>&-) >"$1/stdout" 2>"$1/stderr"
  printf '%3d' "$?" >&4
done`;

/**
 * Runs git for tests, which wait for it. Starting a program takes the longer the more memory ours holds, and a worker
 * of the test runner holds much: the small shell behind this starts git several times as fast. It ends with us.
 */
export class GitShell {
  readonly #env: Readonly<Record<string, string>>;
  #shell: { place: string; ask: number; tell: number } | undefined;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  run(dir: string, args: readonly string[]): GitRan {
    const isPlain = process.platform === 'linux' && ![dir, ...args].some((text) => /[\n\0]/.test(text));
    if (!isPlain) return spawnSync('git', args, { cwd: dir, env: this.#env, encoding: 'utf8' });
    this.#shell ??= this.#start();
    const { place, ask, tell } = this.#shell;
    writeSync(ask, `${[dir, args.length, ...args].join('\n')}\n`);
    const answer = Buffer.alloc(3);
    if (readSync(tell, answer) !== answer.length) throw new Error('The shell that runs git has ended.');
    return {
      status: Number(answer.toString()),
      stdout: readFileSync(join(place, 'stdout'), 'utf8'),
      stderr: readFileSync(join(place, 'stderr'), 'utf8'),
    };
  }

  #start() {
    const place = mkdtempSync(join(tmpdir(), 'gitswarm-shell-'));
    execFileSync('mkfifo', [join(place, 'ask'), join(place, 'tell')]);
    spawn('sh', ['-c', LOOP, 'sh', place], { env: this.#env, stdio: 'ignore' }).unref();
    const ask = openSync(join(place, 'ask'), 'w');
    const tell = openSync(join(place, 'tell'), 'r');
    process.once('exit', () => {
      closeSync(ask);
      rmSync(place, { recursive: true, force: true });
    });
    return { place, ask, tell };
  }
}
