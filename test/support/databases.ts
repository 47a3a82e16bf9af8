import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, inject } from 'vitest';
import { randomHex } from '../../src/base/ids.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/db/database.ts';
import type { DatabaseKind } from '../../src/db/dialect-sql.ts';
import { migrate } from '../../src/db/migrate.ts';
import { databaseUrl, type PostgresAnswer, runOn } from './global-setup.ts';
import { tempDir } from './temp-dir.ts';

export type DatabasePlaceForTests = { file: string } | { url: string };

export interface DatabaseMaker {
  /** A new empty, migrated database, closed and removed after the test, or after the file if made in beforeAll. */
  (options?: DatabaseOptions): Promise<Database>;
  /** Where a database of this kind may be opened by several processes; `migrated: false` leaves it empty. */
  place(options?: { migrated?: boolean }): Promise<DatabasePlaceForTests>;
}

/** Runs the same promises once on SQLite and once on PostgreSQL. */
export function forEachDatabase(promises: (kind: DatabaseKind, makeDatabase: DatabaseMaker) => void): void {
  describe('on SQLite', () => promises('sqlite', maker(newSqliteFile)));
  const name = 'on PostgreSQL';
  if ('missing' in postgres) describe.skip(name, () => promises('postgres', maker(refuse)));
  else describe(name, () => promises('postgres', maker(newPostgresDatabase)));
}

type Undo = () => Promise<void>;
type NewPlace = (migrated: boolean, undo: Undo[]) => Promise<DatabasePlaceForTests>;

function maker(newPlace: NewPlace): DatabaseMaker {
  const undoAfterFile: Undo[] = [];
  const undoAfterTest: Undo[] = [];
  let undo = undoAfterFile;
  beforeEach(() => {
    undo = undoAfterTest;
  });
  afterEach(async () => {
    undo = undoAfterFile;
    await undoAll(undoAfterTest);
  });
  afterAll(() => undoAll(undoAfterFile));
  const make = async (options: DatabaseOptions = {}) => {
    const database = openDatabase(await newPlace(true, undo), options);
    undo.push(() => database.close());
    return database;
  };
  return Object.assign(make, {
    place: ({ migrated = true }: { migrated?: boolean } = {}) => newPlace(migrated, undo),
  });
}

async function undoAll(steps: Undo[]): Promise<void> {
  for (let step = steps.pop(); step; step = steps.pop()) await step();
}

let sqliteTemplate: Promise<string> | undefined;

async function newSqliteFile(migrated: boolean): Promise<DatabasePlaceForTests> {
  const file = join(tempDir('sqlite'), 'gitswarm.db');
  if (migrated) {
    sqliteTemplate ??= makeSqliteTemplate();
    copyFileSync(await sqliteTemplate, file);
  }
  return { file };
}

/** Made once per test file: copying a migrated file is much quicker than migrating. */
async function makeSqliteTemplate(): Promise<string> {
  const file = join(templateDir, 'template.db');
  const database = openDatabase({ file });
  await migrate(database);
  await database.close();
  return file;
}

async function newPostgresDatabase(migrated: boolean, undo: Undo[]): Promise<DatabasePlaceForTests> {
  if ('missing' in postgres) return refuse();
  const { url, copied } = postgres;
  const name = `gitswarm_test_${randomHex(8)}`;
  await runOn(url, `create database ${name} ${migrated ? copied : ''}`);
  undo.push(async () => {
    await runOn(url, `drop database if exists ${name} with (force)`);
  });
  return { url: databaseUrl(url, name) };
}

async function refuse(): Promise<never> {
  throw new Error('there is no PostgreSQL here');
}

async function askForPostgres(): Promise<PostgresAnswer> {
  const response = await fetch(`http://127.0.0.1:${inject('postgresPort')}`);
  const answer = (await response.json()) as PostgresAnswer;
  if ('missing' in answer) {
    if (process.env.CI === 'true') throw new Error(`PostgreSQL for tests did not start: ${answer.missing}`);
    process.stderr.write(
      `\n*** PostgreSQL did not start, SKIPPING its half of the tests: ${answer.missing}\n\n`,
    );
  }
  return answer;
}

const templateDir = tempDir('template');
const postgres = await askForPostgres();
