import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { copySqliteFile, type SqliteCopy } from '../base/sqlite-copy.ts';
import { bindable, isSqliteBusy, openSqliteFile, sqliteFault } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { schemaSteps } from './machine-schema.ts';
import { holderOf, isHolderAlive } from './process-identity.ts';

export type Value = string | number | null;

/** What only this machine knows, in `<dir>/local/machine.db`. Nothing is opened before the first question. */
export function openMachine(dir: string, options: MachineOptions = {}): Machine {
  return new Machine(dir, options);
}

export interface MachineOptions {
  /** It is read from a copy, so that not even SQLite leaves a trace beside it. */
  untouched?: boolean;
  /** Who knows better than this process can see whether a holder is still there: a server knows its fellows. */
  isAlive?: (holder: string) => boolean;
}

export class Machine {
  /** The GitSwarm directory of the repository. */
  readonly dir: string;
  /** This process, as it signs what it holds. */
  readonly holder: string;
  /** False only where a holder is certainly gone. */
  readonly isAlive: (holder: string) => boolean;
  readonly #untouched: boolean;
  #db: DatabaseSync | undefined;
  #copy: SqliteCopy | undefined;

  constructor(dir: string, { untouched = false, isAlive = isHolderAlive }: MachineOptions = {}) {
    this.dir = dir;
    this.holder = holderOf();
    this.isAlive = isAlive;
    this.#untouched = untouched;
  }

  get localDir(): string {
    return join(this.dir, 'local');
  }

  /** All rows; `Row` is the shape the columns of the statement have. */
  all<Row extends object>(sql: string, ...values: Value[]): Row[] {
    return this.#ask((db) => db.prepare(sql).all(...values.map(bindable)) as Row[]);
  }

  get<Row extends object>(sql: string, ...values: Value[]): Row | undefined {
    return this.#ask((db) => db.prepare(sql).get(...values.map(bindable)) as Row | undefined);
  }

  /** Returns how many rows were changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#ask((db) => Number(db.prepare(sql).run(...values.map(bindable)).changes));
  }

  /** One transaction that no other process can come between; what `work` throws undoes it. */
  write<T>(work: () => T): T {
    return this.#ask((db) => {
      db.exec('begin immediate');
      try {
        const result = work();
        db.exec('commit');
        return result;
      } finally {
        if (db.isTransaction) db.exec('rollback');
      }
    });
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
    this.#copy?.remove();
    this.#copy = undefined;
  }

  #open(): DatabaseSync {
    const file = join(this.localDir, FILE);
    if (!this.#untouched) return openMachineFile(this.localDir);
    if (existsSync(file)) this.#copy = copySqliteFile(file);
    return openForReading(this.#copy?.file ?? file);
  }

  #ask<T>(question: (db: DatabaseSync) => T): T {
    try {
      this.#db ??= this.#open();
      return question(this.#db);
    } catch (error) {
      const fault = sqliteFault(error, join(this.localDir, FILE));
      throw fault ? new SwarmError(fault.code, fault.message, { fix: fault.fix, cause: error }) : error;
    }
  }
}

const FILE = 'machine.db';
const BUSY_MS = 10_000;

/** On a disk that cannot be written, what is there can still be read; writing is refused. */
function openMachineFile(localDir: string): DatabaseSync {
  const file = join(localDir, FILE);
  try {
    return openAndUpgrade(localDir, file);
  } catch (error) {
    if (sqliteFault(error, file)?.code !== 'read_only' && !isReadOnlyDisk(error)) throw error;
    return openForReading(file);
  }
}

function openForReading(file: string): DatabaseSync {
  const isThere = existsSync(file);
  const db = isThere
    ? openSqliteFile(file, { readOnly: true, busyMs: BUSY_MS })
    : new DatabaseSync(':memory:');
  if (!isThere) for (const step of schemaSteps) db.exec(step);
  db.exec('pragma query_only = 1');
  return db;
}

function isReadOnlyDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EROFS' || error.code === 'EACCES');
}

function openAndUpgrade(localDir: string, file: string): DatabaseSync {
  mkdirSync(localDir, { recursive: true });
  const db = openSqliteFile(file, { busyMs: BUSY_MS });
  try {
    const version = versionOf(db);
    if (version !== schemaSteps.length || version === 0) upgrade(db, file);
    db.exec('pragma synchronous = normal');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function upgrade(db: DatabaseSync, file: string): void {
  refuseNewer(versionOf(db), file);
  useWal(db);
  db.exec('begin immediate');
  try {
    const version = versionOf(db); // another process may have been quicker
    refuseNewer(version, file);
    for (const step of schemaSteps.slice(version)) db.exec(step);
    db.exec(`pragma user_version = ${schemaSteps.length}; commit`);
  } finally {
    if (db.isTransaction) db.exec('rollback');
  }
}

/** SQLite does not wait for others when it changes the journal, so two processes that start together would collide. */
function useWal(db: DatabaseSync): void {
  const end = performance.now() + BUSY_MS;
  for (;;) {
    try {
      db.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() > end) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 + Math.random() * 8);
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.user_version ?? 0);
}

function refuseNewer(version: number, file: string): void {
  if (version <= schemaSteps.length) return;
  throw new SwarmError(
    'newer_schema',
    `${file} has version ${version}, and this gitswarm knows only those up to ${schemaSteps.length}`,
    { fix: 'upgrade gitswarm (npm install -g gitswarm@latest)' },
  );
}
