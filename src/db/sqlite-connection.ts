import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { bindable, sqliteFault } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';

const KEPT_STATEMENTS = 300;

interface Prepared {
  statement: StatementSync;
  givesRows: boolean;
}

/**
 * One open file. As on PostgreSQL, a statement that fails inside a transaction spoils the whole of it: what follows is
 * refused and the commit becomes a rollback, so code that works here works there.
 */
export class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #prepared = new Map<string, Prepared>();
  #spoiled = false;

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#spoiled) throw new SwarmError('internal', SPOILED);
    try {
      return this.#execute<R>(query);
    } catch (error) {
      this.#spoiled = this.#db.isTransaction;
      const fault = sqliteFault(error, this.#file);
      throw fault ? new SwarmError(fault.code, fault.message, { fix: fault.fix, cause: error }) : error;
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  /** A statement without parameters and rows; errors come as node:sqlite throws them. */
  run(sql: string): void {
    this.#db.exec(sql);
  }

  commit(): void {
    if (this.#spoiled) throw new SwarmError('internal', SPOILED);
    this.#db.exec('commit');
  }

  rollback(): void {
    this.#spoiled = false;
    // A full disk makes SQLite roll back by itself.
    if (this.#db.isTransaction) this.#db.exec('rollback');
  }

  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #execute<R>(query: CompiledQuery): QueryResult<R> {
    const { statement, givesRows } = this.#prepare(query.sql);
    const values = query.parameters.map(bindable);
    if (!givesRows) {
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    }
    const rows: R[] = [];
    // A copy gives rows the usual prototype, so that they compare equal to those of PostgreSQL.
    for (const row of statement.all(...values)) rows.push({ ...row } as R);
    return writes(query) ? { rows, numAffectedRows: BigInt(rows.length) } : { rows };
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    const prepared = { statement, givesRows: statement.columns().length > 0 };
    if (this.#prepared.size >= KEPT_STATEMENTS) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

const SPOILED = 'an earlier statement of this transaction failed, so nothing more can be done in it';

function writes(query: CompiledQuery): boolean {
  const { kind } = query.query;
  return kind === 'InsertQueryNode' || kind === 'UpdateQueryNode' || kind === 'DeleteQueryNode';
}
