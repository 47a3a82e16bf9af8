import { createHash } from 'node:crypto';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { type Clock, systemClock } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import { timeNow } from './columns.ts';
import type { Database, Tx } from './database.ts';
import { compareTextByBytes, type DatabaseKind } from './dialect-sql.ts';
import type { AnyTables, Migration } from './migration.ts';
import { migrations as ours } from './migrations/index.ts';
import { sqlState } from './postgres-errors.ts';
import type { Tables } from './tables.ts';

/**
 * Brings the schema up to date, in one transaction, whoever else tries the same; returns the names of the migrations it
 * applied. Costs one small query where there is nothing to do. A database of a newer program is refused.
 */
export async function migrate(
  database: Database,
  { migrations = ours, clock = systemClock }: { migrations?: readonly Migration[]; clock?: Clock } = {},
): Promise<string[]> {
  if (await isUpToDate(database, migrations)) return [];
  const applied = await database.write((tx) => applyMissing(tx, { database, migrations, clock }));
  return applied;
}

async function isUpToDate(database: Database, migrations: readonly Migration[]): Promise<boolean> {
  if (database.kind === 'sqlite') {
    const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(database.read);
    return rows[0]?.user_version === migrations.length;
  }
  const names = await recordedNames(database);
  refuseNewer(names, migrations, database.place);
  return names.length === migrations.length;
}

async function recordedNames(database: Database): Promise<string[]> {
  try {
    const rows = await database.read.selectFrom('schema_migration').select('name').orderBy('name').execute();
    return rows.map((row) => row.name);
  } catch (error) {
    if (sqlState(error) === '42P01') return []; // no such table: a new database
    throw error;
  }
}

interface Setting {
  database: Database;
  migrations: readonly Migration[];
  clock: Clock;
}

async function applyMissing(tx: Tx, { database, migrations, clock }: Setting): Promise<string[]> {
  const { kind, place } = database;
  await sql`create table if not exists schema_migration
    (name text primary key, checksum text not null, applied_at text not null)`.execute(tx);
  const recorded = await tx.selectFrom('schema_migration').selectAll().orderBy('name').execute();
  refuseNewer(
    recorded.map((row) => row.name),
    migrations,
    place,
  );
  const known = new Map(recorded.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  for (const migration of migrations) {
    const checksum = await checksumOf(migration, kind);
    const before = known.get(migration.name);
    if (before === undefined) {
      await migration.up(tx.$omitTables<keyof Tables>().$extendTables<AnyTables>(), kind);
      const row = { name: migration.name, checksum, applied_at: timeNow(clock) };
      await tx.insertInto('schema_migration').values(row).execute();
      applied.push(migration.name);
    } else if (before !== checksum) {
      throw new SwarmError(
        'internal',
        `migration ${migration.name} has changed since ${place} was made with it`,
        {
          fix: 'use the version of gitswarm that made the database, or restore the migration and add a new one',
        },
      );
    }
  }
  await compareTextByBytes(tx);
  if (kind === 'sqlite') await sql`pragma user_version = ${sql.raw(String(migrations.length))}`.execute(tx);
  return applied;
}

function refuseNewer(recorded: readonly string[], migrations: readonly Migration[], place: string): void {
  const names = new Set(migrations.map((migration) => migration.name));
  const unknown = recorded.filter((name) => !names.has(name));
  if (unknown.length === 0) return;
  const newest = migrations.at(-1)?.name ?? 'none';
  throw new SwarmError(
    'newer_schema',
    `${place} has schema ${unknown.at(-1)}, and this gitswarm knows only those up to ${newest}`,
    {
      fix: 'upgrade gitswarm (npm install -g gitswarm@latest)',
      details: { database: unknown.at(-1), program: newest },
    },
  );
}

/** A hash of the SQL a migration runs on an empty database; its source text would differ between builds. */
export async function checksumOf(migration: Migration, kind: DatabaseKind): Promise<string> {
  const hash = createHash('sha256');
  const dry = new Kysely<AnyTables>({
    dialect: {
      createDriver: () => new DummyDriver(),
      createAdapter: () => (kind === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
      createQueryCompiler: () =>
        kind === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler(),
      createIntrospector: () => {
        throw new Error('a migration does not look at the schema');
      },
    },
    log(event) {
      hash.update(`${event.query.sql}\n${JSON.stringify(event.query.parameters)}\n`);
    },
  });
  await migration.up(dry, kind);
  return hash.digest('hex');
}
