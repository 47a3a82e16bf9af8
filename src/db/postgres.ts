import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { SwarmError } from '../contract/errors.ts';
import { isLostConnection, postgresFault } from './postgres-errors.ts';
import { numbersAsNumbers } from './postgres-types.ts';

export interface PostgresOptions {
  url: string;
  /** Most connections open at once. */
  connections: number;
  /** How long to wait for a connection, in milliseconds. */
  waitMs: number;
}

/** Kysely over `pg`, which is loaded and connected at the first statement. */
export class PgDialect implements Dialect {
  readonly #options: PostgresOptions;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new PgDriver(this.#options);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): PostgresAdapter {
    return new PostgresAdapter();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signature is Kysely's
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}

class PgDriver implements Driver {
  readonly #options: PostgresOptions;
  #pool: Pool | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    this.#pool = await openPool(this.#options);
  }

  async acquireConnection(): Promise<PgConnection> {
    if (!this.#pool) throw new SwarmError('internal', 'the database is closed');
    try {
      return new PgConnection(await this.#pool.connect(), this.#options.url);
    } catch (error) {
      throw postgresFault(error, this.#options.url);
    }
  }

  async beginTransaction(connection: PgConnection): Promise<void> {
    await connection.query('begin isolation level read committed');
  }

  async commitTransaction(connection: PgConnection): Promise<void> {
    // The server answers ROLLBACK to a commit after a statement has failed.
    const { command } = await connection.query('commit');
    if (command === 'ROLLBACK') {
      throw new SwarmError('internal', 'an earlier statement of this transaction failed: it was rolled back');
    }
  }

  async rollbackTransaction(connection: PgConnection): Promise<void> {
    await connection.query('rollback');
  }

  async releaseConnection(connection: PgConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }
}

class PgConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #url: string;
  #lost = false;

  constructor(client: PoolClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.query(query.sql, query.parameters);
    return WRITES.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  async query(text: string, values: readonly unknown[] = []) {
    try {
      return await this.#client.query(text, [...values]);
    } catch (error) {
      if (isLostConnection(error)) this.#lost = true;
      throw postgresFault(error, this.#url);
    }
  }

  release(): void {
    this.#client.release(this.#lost);
  }
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

async function openPool({ url, connections, waitMs }: PostgresOptions): Promise<Pool> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: waitMs,
    keepAlive: true,
    application_name: 'gitswarm',
    types: numbersAsNumbers(pg.types),
  });
  // A server that goes away tells every connection, idle or in use; without listeners that would end this process.
  // Whoever uses the connection next gets the error.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
