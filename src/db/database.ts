import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, type Transaction } from 'kysely';
import { retry } from '../base/retry.ts';
import { SwarmError } from '../contract/errors.ts';
import { type DatabaseKind, lockForWriting } from './dialect-sql.ts';
import { PgDialect } from './postgres.ts';
import { serverName, sqlState } from './postgres-errors.ts';
import { NodeSqliteDialect, type SqliteOptions } from './sqlite.ts';
import type { Tables } from './tables.ts';

export type Tx = Transaction<Tables>;
export type Db = Kysely<Tables> | Tx;

export interface Database {
  readonly kind: DatabaseKind;
  /** The file, or host and database: for messages. */
  readonly place: string;
  /** Queries outside a transaction. They see what is committed, never what a running `write` has done so far. */
  readonly read: Kysely<Tables>;
  /**
   * As `read`, for questions that are asked together and about nothing but the database: on SQLite those of one turn of
   * the event loop see one state, that of the first of them, and cost less. Not for code that looks at git, at files or
   * at locks in between: it has to see what was committed before those.
   */
  readonly view: Kysely<Tables>;
  /**
   * Runs one transaction and resolves after its commit; whatever `run` throws rolls it back. `run` may be started again
   * after a lost race, so it does nothing but database work, and never waits for git, network or a child process.
   *
   * Writers take turns: on SQLite by `begin immediate`, on PostgreSQL by a lock taken before anything is read, with READ
   * COMMITTED so that each statement sees all that earlier holders committed. So reading and then writing gives the
   * same answer on both. (SERIALIZABLE would need no lock but loses most races here: ids grow with time, so that all
   * inserts meet in the same index page.) With `repoId`, PostgreSQL lets other repositories be written meanwhile; then
   * rows outside that repository may only be changed by statements that are right on their own.
   */
  write<T>(run: (tx: Tx) => Promise<T>, options?: WriteOptions): Promise<T>;
  /** Waits for the running write, then closes. */
  close(): Promise<void>;
}

export interface WriteOptions {
  repoId?: string | undefined;
}

export type DatabasePlace = { file: string } | { url: string };

export interface DatabaseOptions {
  durable?: boolean;
  readOnly?: boolean;
  /** How long a write waits for other processes, in milliseconds. */
  waitMs?: number;
}

/** Opens nothing yet: files and connections are opened by the first statement. */
export function openDatabase(place: DatabasePlace, options: DatabaseOptions = {}): Database {
  const { durable = false, readOnly = false, waitMs = 10_000 } = options;
  if ('url' in place) {
    // Two pools: a write that reads through `read` must not wait for connections held by writers that wait for it.
    const pool = () =>
      new Kysely<Tables>({ dialect: new PgDialect({ url: place.url, connections: 10, waitMs }) });
    const lock = (tx: Tx, { repoId }: WriteOptions) => lockForWriting(tx, { repoId, waitMs });
    const reader = pool();
    return new KyselyDatabase('postgres', serverName(place.url), {
      reader,
      viewer: reader,
      writer: pool(),
      lock,
      readOnly,
    });
  }
  const connect = (role: SqliteOptions['role']) =>
    new Kysely<Tables>({
      dialect: new NodeSqliteDialect({ file: place.file, role, durable, readOnly, waitMs }),
    });
  const lock = async () => undefined;
  return new KyselyDatabase('sqlite', place.file, {
    reader: connect('reader'),
    viewer: connect('viewer'),
    writer: connect('writer'),
    lock,
    readOnly,
  });
}

interface Connections {
  reader: Kysely<Tables>;
  viewer: Kysely<Tables>;
  writer: Kysely<Tables>;
  lock(tx: Tx, options: WriteOptions): Promise<void>;
  readOnly: boolean;
}

const MOST_TRIES = 8;

class KyselyDatabase implements Database {
  readonly kind: DatabaseKind;
  readonly place: string;
  readonly read: Kysely<Tables>;
  readonly view: Kysely<Tables>;
  readonly #connections: Connections;
  /** Which write the running code belongs to, to refuse one inside another: it would wait for itself. */
  readonly #current = new AsyncLocalStorage<{ open: boolean }>();
  readonly #unfinished = new Set<Promise<unknown>>();
  /** Settles when the last SQLite write asked for so far is over. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(kind: DatabaseKind, place: string, connections: Connections) {
    this.kind = kind;
    this.place = place;
    this.read = connections.reader;
    this.view = connections.viewer;
    this.#connections = connections;
  }

  async write<T>(run: (tx: Tx) => Promise<T>, options: WriteOptions = {}): Promise<T> {
    this.#refuseIfImpossible();
    const insist = () => this.#insist(run, options);
    const writing = this.kind === 'sqlite' ? this.#inTurn(insist) : insist();
    this.#unfinished.add(writing);
    try {
      return await writing;
    } finally {
      this.#unfinished.delete(writing);
    }
  }

  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#unfinished).then(async () => {
      await this.read.destroy();
      if (this.view !== this.read) await this.view.destroy();
      await this.#connections.writer.destroy();
    });
    return this.#closed;
  }

  #refuseIfImpossible(): void {
    if (this.#connections.readOnly) {
      throw new SwarmError('read_only', `${this.place} was opened for reading only`, {
        fix: 'make the disk writable; until then only looking works',
      });
    }
    if (this.#closed) throw new SwarmError('internal', `${this.place} is closed`);
    if (this.#current.getStore()?.open) {
      throw new SwarmError('internal', 'a transaction was asked for inside another one', {
        fix: 'hand the transaction on as an argument',
      });
    }
  }

  /** One connection writes, so transactions of this process queue up here. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#lastWrite.then(run);
    this.#lastWrite = turn.catch(() => undefined);
    return turn;
  }

  async #insist<T>(run: (tx: Tx) => Promise<T>, options: WriteOptions): Promise<T> {
    let lost: unknown;
    const done = await retry(MOST_TRIES, async () => {
      try {
        return { result: await this.#transact(run, options) };
      } catch (error) {
        if (!isLostRace(error)) throw error;
        lost = error;
        return 'again';
      }
    });
    if (done) return done.result;
    throw new SwarmError('busy', `${MOST_TRIES} attempts to write to ${this.place} lost to other writers`, {
      fix: 'try again in a moment',
      cause: lost,
    });
  }

  async #transact<T>(run: (tx: Tx) => Promise<T>, options: WriteOptions): Promise<T> {
    const tx = await this.#connections.writer.startTransaction().execute();
    const scope = { open: true };
    try {
      await this.#connections.lock(tx, options);
      const result = await this.#current.run(scope, () => run(tx));
      await tx.commit().execute();
      return result;
    } catch (error) {
      if (!tx.isCommitted && !tx.isRolledBack)
        await tx
          .rollback()
          .execute()
          .catch(() => undefined);
      throw error;
    } finally {
      scope.open = false;
    }
  }
}

/** A deadlock or a serialization failure: PostgreSQL has rolled back, and the same again may well succeed. */
function isLostRace(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}
