import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migration.ts';
import { migrations } from './migrations/index.ts';

const migrateNow = new URL('./fixtures/migrate-now.ts', import.meta.url).pathname;
const start = promisify(execFile);
const names = migrations.map((migration) => migration.name);

function adding(name: string, column: string): Migration {
  return { name, up: (db) => db.schema.alterTable('receipt').addColumn(column, 'text').execute() };
}

forEachDatabase((kind, makeDatabase) => {
  async function using<T>(run: (database: Database) => Promise<T>, migrated = false): Promise<T> {
    const database = openDatabase(await makeDatabase.place({ migrated }));
    try {
      return await run(database);
    } finally {
      await database.close();
    }
  }

  it('applies everything once', () =>
    using(async (database) => {
      expect(await migrate(database)).toEqual(names);
      expect(await migrate(database)).toEqual([]);
      expect(await migrate(database, { migrations: [...migrations, adding('998-x', 'x')] })).toEqual([
        '998-x',
      ]);
    }));

  it('refuses the database of a newer program, naming both versions', () =>
    using(async (database) => {
      await migrate(database, { migrations: [...migrations, adding('999-later', 'x')] });
      await expect(migrate(database)).rejects.toMatchObject({
        code: 'newer_schema',
        message: expect.stringMatching(new RegExp(`999-later.*${names.at(-1)}`)),
      });
    }, true));

  it('refuses a migration that was changed after it was applied', () =>
    using(async (database) => {
      await migrate(database, { migrations: [...migrations, adding('998-x', 'x')] });
      const changed = [...migrations, adding('998-x', 'y'), adding('999-z', 'z')];
      await expect(migrate(database, { migrations: changed })).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('998-x'),
      });
    }, true));

  it('leaves nothing behind of migrations that fail', () =>
    using(async (database) => {
      const broken: Migration = {
        name: '999-broken',
        up: (db) => db.schema.dropTable('not_there').execute(),
      };
      await expect(migrate(database, { migrations: [...migrations, broken] })).rejects.toThrow('not_there');
      expect(await migrate(database)).toEqual(names);
    }));

  it('is done once by 8 processes that start together', async () => {
    const place = await makeDatabase.place({ migrated: false });
    const run = () => start(process.execPath, ['--no-warnings', migrateNow, JSON.stringify(place)]);
    const outputs = await Promise.all(Array.from({ length: 8 }, run));
    const applied = outputs.map(({ stdout }) => JSON.parse(stdout)).filter((list) => list.length > 0);
    expect(applied).toEqual([names]);
  });

  it.runIf(kind === 'postgres')('compares text by bytes whatever the language of the server', () =>
    using(async (database) => {
      const { rows } = await sql<{ words: string }>`select string_agg(column_name, ' ') as words
        from information_schema.columns where table_schema = current_schema()
          and data_type = 'text' and collation_name is distinct from 'C'`.execute(database.read);
      expect(rows).toEqual([{ words: null }]);
    }, true),
  );
});
