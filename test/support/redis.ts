import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { until } from './process-fixture.ts';
import { tempDir } from './temp-dir.ts';

/** A Redis of the test's own, on a socket in a directory of its own. It is ended with the test. */
export interface RedisForTests {
  url: string;
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  hang(): void;
}

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** Promises that need a Redis. Where it is not installed they are skipped, and that is said. */
export function describeWithRedis(name: string, promises: () => void): void {
  if (withRedis(`SKIPPING: ${name}`)) describe(name, promises);
  else describe.skip(name, promises);
}

/** Whether there is a Redis; says loudly what happens where there is none. */
export function withRedis(otherwise: string): boolean {
  if (isInstalled) return true;
  if (process.env.CI === 'true')
    throw new Error('redis-server is not installed (apt-get install redis-server)');
  process.stderr.write(`\n*** redis-server is not installed: ${otherwise}\n\n`);
  return false;
}

/** Not started yet. */
export function prepareRedis(): RedisForTests {
  const dir = tempDir('redis');
  const url = join(dir, 'redis.sock');
  let child: ChildProcess | undefined;
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (!ending) return;
    const ended = new Promise((done) => ending.once('exit', done));
    ending.kill('SIGKILL');
    await ended;
    rmSync(url, { force: true });
  };
  onTestFinished(kill);
  return {
    url,
    async start() {
      const settings = ['--port', '0', '--unixsocket', url, '--save', '', '--dir', dir];
      child = spawn('redis-server', settings, { stdio: 'ignore' });
      await until('Redis listens', () => existsSync(url));
    },
    kill,
    hang: () => void child?.kill('SIGSTOP'),
  };
}
