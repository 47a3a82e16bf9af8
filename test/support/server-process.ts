import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DatabasePlaceForTests } from './databases.ts';
import { KEPT, PROGRAM } from './program.ts';
import { ADMIN, type Reply, type RequestOptions, send } from './server.ts';
import { tempDir } from './temp-dir.ts';

/** `gitswarm server` as a process of its own, which a test may kill. It is ended with the test. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** What it wrote to stderr so far. */
  said(): string;
  request(what: string, options?: RequestOptions): Promise<Reply>;
  /** The same, where anything but success fails the test. */
  ask(what: string, options?: RequestOptions): Promise<Reply['body']>;
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Its exit code, or null where a signal ended it. */
  ended: Promise<number | null>;
}

export interface ProcessOptions {
  place: DatabasePlaceForTests;
  data: string;
  variables?: Record<string, string | undefined>;
}

/** Starts it and waits until it listens; throws what it said where it does not start. */
export async function startProcess({ place, data, variables = {} }: ProcessOptions): Promise<ServerProcess> {
  const db = 'url' in place ? place.url : place.file;
  const child = spawn(process.execPath, [PROGRAM, 'server', '--port', '0', '--db', db, '--data', data], {
    env: {
      PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
      ...KEPT,
      HOME: tempDir('home'),
      GITSWARM_ADMIN_TOKEN: ADMIN,
      GITSWARM_RATE_LIMIT: 'off',
      GITSWARM_ALLOW_LOCAL_CLONES: '1',
      GITSWARM_SANDBOX: 'off',
      GITSWARM_LOG_LEVEL: 'warn',
      ...variables,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  let said = '';
  const url = await new Promise<string>((done, fail) => {
    child.stderr?.on('data', (bytes: Buffer) => {
      said += bytes.toString('utf8');
      const found = /listening on (http:\S+)/.exec(said)?.[1];
      if (found) done(found);
    });
    ended.then((code) => fail(new Error(`the server ended with ${code}: ${said}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  onTestFinished(() => endIfAlive(child, ended));
  const request = (what: string, options: RequestOptions = {}) => send(url, what, options);
  const ask = async (what: string, options: RequestOptions = {}) => {
    const reply = await request(what, options);
    if (reply.status < 300) return reply.body;
    throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
  };
  return { url, pid: child.pid ?? 0, said: () => said, request, ask, end, ended };
}

async function endIfAlive(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await ended;
}
