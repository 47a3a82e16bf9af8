import { createHash } from 'node:crypto';
import { type Kysely, SqliteAdapter, sql } from 'kysely';
import { isSqliteUniqueViolation } from '../base/sqlite-file.ts';
import { EVENT_CHANNEL } from './event-signal.ts';
import { sqlState } from './postgres-errors.ts';

/** The few places where the two databases want different words. Everything else is written once, in the stores. */

export type DatabaseKind = 'sqlite' | 'postgres';

export function kindOf<T>(db: Kysely<T>): DatabaseKind {
  return db.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgres';
}

/** True where an insert or update met a row with the same primary key or unique columns. */
export function isUniqueViolation(error: unknown): boolean {
  return isSqliteUniqueViolation(error) || sqlState(error) === '23505';
}

/** The type of a column that numbers its rows in the order of insertion and never gives a number twice, key included. */
export function sequenceKey(kind: DatabaseKind): string {
  return kind === 'sqlite'
    ? 'integer primary key autoincrement'
    : 'bigint generated always as identity primary key';
}

/** Makes every column of text compare byte by byte as SQLite does, whatever the language of the database. */
export async function compareTextByBytes<T>(tx: Kysely<T>): Promise<void> {
  if (kindOf(tx) === 'sqlite') return;
  await sql`do $$
    declare found record;
    begin
      for found in
        select c.table_name, c.column_name
        from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
          and c.data_type = 'text' and c.collation_name is distinct from 'C'
      loop
        execute format('alter table %I alter column %I type text collate "C"', found.table_name, found.column_name);
      end loop;
    end $$`.execute(tx);
}

/**
 * Puts the events of one transaction after those of every other: taken just before events are written and held until
 * the commit, it makes the order of `event.seq` the order of commits. SQLite has one writer and needs none.
 */
export async function lockEvents<T>(tx: Kysely<T>): Promise<void> {
  if (kindOf(tx) === 'postgres') await sql`select pg_advisory_xact_lock(${SPACE}, ${EVENTS})`.execute(tx);
}

/** Tells other servers on the same PostgreSQL, at the commit, that there are new events. SQLite has nobody to tell. */
export async function announceEvents<T>(tx: Kysely<T>): Promise<void> {
  if (kindOf(tx) === 'postgres') await sql`select pg_notify(${EVENT_CHANNEL}, '')`.execute(tx);
}

/** Keeps other writers of one repository out until the commit. SQLite has one writer and needs none. */
export async function lockRepo<T>(tx: Kysely<T>, repoId: string): Promise<void> {
  if (kindOf(tx) === 'postgres') await sql`select pg_advisory_xact_lock(${repoKey(repoId)})`.execute(tx);
}

/**
 * What a writing transaction takes first on PostgreSQL: the whole database, or one repository while others are written
 * side by side. Ends with 55P03 where it waits longer than `waitMs`; a holder that does nothing for a minute is ended.
 */
export async function lockForWriting<T>(
  tx: Kysely<T>,
  { repoId, waitMs }: { repoId?: string | undefined; waitMs: number },
): Promise<void> {
  const take = repoId === undefined ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`;
  await sql`select set_config('lock_timeout', ${String(waitMs)}, true),
    set_config('idle_in_transaction_session_timeout', '60000', true),
    ${take}(${SPACE}, ${DATABASE})`.execute(tx);
  if (repoId !== undefined) await lockRepo(tx, repoId);
}

/** Two-number locks belong to us by their first number; locks of one number (repositories) are another space. */
const SPACE = 0x47535744;
const DATABASE = 1;
const EVENTS = 2;

function repoKey(repoId: string): string {
  return createHash('sha256').update(`gitswarm repo ${repoId}`).digest().readBigInt64BE(0).toString();
}
