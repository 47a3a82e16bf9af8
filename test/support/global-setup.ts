import { createServer } from 'node:http';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { randomHex } from '../../src/base/ids.ts';
import { openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { listen, startEmbedded } from './embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for PostgreSQL; the first to ask starts it, so runs that need none pay nothing. */
    postgresPort: number;
  }
}

/** What a test file gets: the server and its template, or why there is none. */
export type PostgresAnswer = { url: string; template: string; copied: string } | { missing: string };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresForTests> | undefined;
  const server = createServer(async (_request, response) => {
    starting ??= startPostgres();
    const answer: PostgresAnswer = await starting.then(
      ({ url, template, copied }) => ({ url, template, copied }),
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
  /** How a database is said to be made from it: by copying files, where the server knows that, for half of the time. */
  copied: string;
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
    const version = Number((await runOn(server.url, 'show server_version_num'))[0]?.server_version_num);
    const copied = `template ${template}${version >= 150_000 ? ' strategy file_copy' : ''}`;
    return { url: server.url, template, copied, stop };
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
export async function runOn(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
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
