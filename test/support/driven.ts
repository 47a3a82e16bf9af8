import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Job } from './drive.ts';
import { driveProgram } from './drive-program.ts';
import { until } from './process-fixture.ts';
import { storyEnv } from './story.ts';

/** Most of what a short process does is to compile; those that are not killed keep it for the others. */
const COMPILED = resolve(import.meta.dirname, '../../node_modules/.cache/gitswarm-tests/compiled');

/** How a driven process ended. */
export interface Ended {
  signal: NodeJS.Signals | null;
  code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever JSON came
  answer: any;
  stderr: string;
}

/** A process of its own that does one thing as one agent. */
export class Driven {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(dir: string, as: string, job: Job, env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [driveProgram(), dir, as, JSON.stringify(job)], {
      env: { ...storyEnv, NODE_COMPILE_CACHE: COMPILED, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: the git processes it leaves behind when it is killed can be waited for.
      detached: true,
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', (chunk) => (this.#stdout += chunk));
    this.#child.stderr?.on('data', (chunk) => (this.#stderr += chunk));
    this.ended = new Promise((done) =>
      this.#child.once('close', (code, signal) => done(this.#end(code, signal))),
    );
  }

  #end(code: number | null, signal: NodeJS.Signals | null): Ended {
    const line = this.#stdout.split('\n').find((each) => each.startsWith('{'));
    return { code, signal, stderr: this.#stderr, answer: line === undefined ? undefined : JSON.parse(line) };
  }

  /** It has opened the repository and waits for `go`, or has ended. */
  async ready(): Promise<void> {
    let over = false;
    void this.ended.then(() => (over = true));
    await until('a process is ready', () => over || this.#stdout.includes('ready\n'));
  }

  go(): void {
    this.#child.stdin?.write('go\n');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The process and every git it started have ended: those outlive a kill for as long as their work takes. */
  async gone(): Promise<Ended> {
    const ended = await this.ended;
    const group = this.#child.pid ?? 0;
    await until('the children of a killed process have ended', () => !isGroupAlive(group));
    return ended;
  }
}

/** A process that has ended, but that nobody has asked about yet, is dead all the same. */
function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (!existsSync('/proc/self/stat')) return true;
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const [state, , processGroup] = statOf(pid);
    return Number(processGroup) === group && state !== 'Z' && state !== 'X';
  });
}

/** The fields of proc(5) after the name of the program. */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** One job in a process of its own, to its end. */
export function drive(dir: string, as: string, job: Job, env: Record<string, string> = {}): Promise<Ended> {
  return new Driven(dir, as, job, env).gone();
}

/** Many jobs in as many processes, all let go at the same moment. */
export async function driveAtOnce(dir: string, jobs: { as: string; job: Job }[]): Promise<Ended[]> {
  const all: Driven[] = [];
  // They start up a few at a time; the race begins when all of them stand ready.
  for (const { as, job } of jobs) {
    all.push(new Driven(dir, as, job, { DRIVE_WAITS: '1' }));
    if (all.length % 4 === 0) await Promise.all(all.map((each) => each.ready()));
  }
  await Promise.all(all.map((each) => each.ready()));
  for (const each of all) each.go();
  return Promise.all(all.map((each) => each.gone()));
}
