import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { bindable, sqliteFault } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';

const KEPT_STATEMENTS = 300;

/** Of all files: a test, or a program, may have opened one twice. */
const openViews = new Set<SqliteConnection>();

interface Prepared {
  statement: StatementSync;
  /** Of the columns it gives; none where it gives no rows. */
  names: string[];
}

/**
 * One open file. As on PostgreSQL, a statement that fails inside a transaction spoils the whole of it: what follows is
 * refused and the commit becomes a rollback, so code that works here works there.
 */
export class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #prepared = new Map<string, Prepared>();
  readonly #sharesViews: boolean;
  #spoiled = false;

  /** With `sharesViews`, what is asked in one turn of the event loop sees one state of the file. */
  constructor(db: DatabaseSync, file: string, { sharesViews = false } = {}) {
    this.#db = db;
    this.#file = file;
    this.#sharesViews = sharesViews;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#spoiled) throw new SwarmError('internal', SPOILED);
    try {
      return this.#execute<R>(query);
    } catch (error) {
      this.#spoiled = this.#db.isTransaction && !this.#sharesViews;
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
    for (const view of openViews) view.#endView();
  }

  rollback(): void {
    this.#spoiled = false;
    // A full disk makes SQLite roll back by itself.
    if (this.#db.isTransaction) this.#db.exec('rollback');
  }

  close(): void {
    openViews.delete(this);
    this.#prepared.clear();
    this.#db.close();
  }

  #execute<R>(query: CompiledQuery): QueryResult<R> {
    if (this.#sharesViews) this.#openView();
    const prepared = this.#prepare(query.sql);
    const { statement } = prepared;
    const values = query.parameters.map(bindable);
    if (prepared.names.length === 0) {
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    }
    // Arrays, because node:sqlite takes longer to name the values of a row than to read them. Their type is not known.
    const found = statement.all(...values) as unknown as SQLOutputValue[][];
    // Another process may have added a column to what a "*" stands for.
    if (found[0] && found[0].length !== prepared.names.length) prepared.names = columnNames(statement);
    const rows = found.map((each) => namedValues(prepared.names, each) as R);
    return writes(query) ? { rows, numAffectedRows: BigInt(rows.length) } : { rows };
  }

  /**
   * SQLite locks the file for each statement, which takes longer than most of them; a view is locked once. It ends with
   * the turn of the event loop, and when this process commits anything anywhere: whoever was told of a change sees it.
   */
  #openView(): void {
    if (openViews.has(this)) return;
    this.#db.exec('begin');
    openViews.add(this);
    setImmediate(() => this.#endView());
  }

  #endView(): void {
    // An unreadable disk makes SQLite roll back by itself; whoever commits elsewhere has no part in that.
    if (openViews.delete(this) && this.#db.isTransaction) this.#db.exec('commit');
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    const prepared = { statement, names: columnNames(statement) };
    if (this.#prepared.size >= KEPT_STATEMENTS) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

function columnNames(statement: StatementSync): string[] {
  return statement.columns().map(({ name }) => name);
}

function namedValues(names: string[], values: SQLOutputValue[]): Record<string, SQLOutputValue | undefined> {
  const row: Record<string, SQLOutputValue | undefined> = {};
  for (let i = 0; i < names.length; i++) row[names[i] ?? ''] = values[i];
  return row;
}

const SPOILED = 'an earlier statement of this transaction failed, so nothing more can be done in it';

function writes(query: CompiledQuery): boolean {
  const { kind } = query.query;
  return kind === 'InsertQueryNode' || kind === 'UpdateQueryNode' || kind === 'DeleteQueryNode';
}
