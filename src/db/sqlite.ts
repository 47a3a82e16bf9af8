import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryCompiler,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { isSqliteBusy, openSqliteFile, sqliteFault } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { NodeSqliteAdapter } from './sqlite-adapter.ts';
import { SqliteConnection } from './sqlite-connection.ts';

export interface SqliteOptions {
  file: string;
  /** A reader and a viewer refuse every write; a viewer shares views; a writer's transactions are all `begin immediate`. */
  role: 'reader' | 'viewer' | 'writer';
  /** Wait for the disk at every commit, so that power loss takes nothing back. */
  durable: boolean;
  readOnly: boolean;
  /** How long a transaction waits for the writers of other processes, in milliseconds. */
  waitMs: number;
}

/** Kysely over node:sqlite. The file is opened at the first statement. */
export class NodeSqliteDialect implements Dialect {
  readonly #options: SqliteOptions;
  readonly #adapter = new NodeSqliteAdapter();

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new NodeSqliteDriver(this.#options, this.#adapter);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): NodeSqliteAdapter {
    return this.#adapter;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signature is Kysely's
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

class NodeSqliteDriver implements Driver {
  readonly #options: SqliteOptions;
  readonly #adapter: NodeSqliteAdapter;

  constructor(options: SqliteOptions, adapter: NodeSqliteAdapter) {
    this.#options = options;
    this.#adapter = adapter;
  }

  async init(): Promise<void> {
    const { file, role, waitMs } = this.#options;
    const db = await whenFree(file, waitMs, () => openConfigured(this.#options));
    this.#adapter.connection = new SqliteConnection(db, file, { sharesViews: role === 'viewer' });
  }

  async acquireConnection(): Promise<SqliteConnection> {
    const { connection } = this.#adapter;
    if (!connection) throw new SwarmError('internal', `${this.#options.file} is closed`);
    return connection;
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    if (this.#options.role !== 'writer') return connection.run('begin');
    await whenFree(this.#options.file, this.#options.waitMs, () => connection.run('begin immediate'));
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.commit();
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    connection.rollback();
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#adapter.connection?.close();
    this.#adapter.connection = undefined;
  }
}

function openConfigured({ file, role, durable, readOnly }: SqliteOptions): DatabaseSync {
  if (!readOnly) mkdirSync(dirname(file), { recursive: true });
  // A writer that finds the lock taken pauses outside SQLite, so that this thread goes on with other work.
  const db = openSqliteFile(file, { readOnly, busyMs: role === 'writer' ? 0 : READER_BUSY_MS });
  try {
    if (role !== 'writer') db.exec('pragma query_only = 1');
    else db.exec(`pragma journal_mode = wal; pragma synchronous = ${durable ? 'full' : 'normal'}`);
    db.exec('pragma case_sensitive_like = 1'); // as on PostgreSQL
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const READER_BUSY_MS = 5_000;
const LONGEST_PAUSE_MS = 20;

/** Repeats `attempt` with short pauses while another process holds the lock, for at most `waitMs`. */
async function whenFree<T>(file: string, waitMs: number, attempt: () => T): Promise<T> {
  // The clock is asked only where there is something to wait for.
  let end: number | undefined;
  for (let n = 1; ; n++) {
    try {
      return attempt();
    } catch (error) {
      end ??= performance.now() + waitMs;
      if (!isSqliteBusy(error) || performance.now() >= end) throw translated(error, file);
    }
    await new Promise((done) => setTimeout(done, Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * n)));
  }
}

function translated(error: unknown, file: string): unknown {
  const fault = sqliteFault(error, file) ?? fileSystemFault(error, file);
  return fault ? new SwarmError(fault.code, fault.message, { fix: fault.fix, cause: error }) : error;
}

function fileSystemFault(error: unknown, file: string) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') return undefined;
  return {
    code: 'read_only' as const,
    message: `the directory of ${file} cannot be written`,
    fix: 'make it writable, or put the database on another disk',
  };
}
