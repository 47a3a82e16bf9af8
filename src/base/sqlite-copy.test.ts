import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { copySqliteFile } from './sqlite-copy.ts';

it('holds what is committed, also what is only in the journal, and leaves the original as it is', () => {
  const dir = tempDir('copy');
  const file = join(dir, 'a.db');
  const db = new DatabaseSync(file);
  db.exec(`pragma journal_mode = wal; create table t (x); insert into t values (1)`);
  const before = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString('hex')]);
  expect(before.map(([name]) => name)).toEqual(['a.db', 'a.db-shm', 'a.db-wal']);
  const copy = copySqliteFile(file);
  if (!copy) throw new Error('no copy');
  const other = new DatabaseSync(copy.file);
  expect(other.prepare('select x from t').all()).toMatchObject([{ x: 1 }]);
  other.exec('insert into t values (2)');
  other.close();
  expect(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString('hex')])).toEqual(
    before,
  );
  copy.remove();
  expect(existsSync(copy.file)).toBe(false);
  expect(db.prepare('select count(*) as n from t').get()).toMatchObject({ n: 1 });
  db.close();
});
