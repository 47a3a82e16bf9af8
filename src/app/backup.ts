import { copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { openSqliteFile } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { withLock } from '../machine/locks.ts';

/** A consistent copy of the database, made while others write to it. */
export async function backUp(database: string, file: string): Promise<{ file: string; bytes: number }> {
  if (existsSync(file))
    throw new SwarmError('already_exists', `${file} exists already.`, { fix: 'Choose another file.' });
  if (!existsSync(dirname(file)))
    throw new SwarmError('not_found', `There is no directory ${dirname(file)}.`, {
      fix: 'Make it, or choose another.',
    });
  const db = openSqliteFile(database, { readOnly: true, busyMs: 10_000 });
  try {
    db.prepare('vacuum into ?').run(file);
  } finally {
    db.close();
  }
  return { file, bytes: statSync(file).size };
}

/** Puts a saved database in the place of the present one, which is kept under another name. */
export async function restoreBackup(given: {
  database: string;
  home: string;
  file: string;
}): Promise<{ kept: string }> {
  checkBackup(given.file);
  return withLock(given.home, 'queue', async () => {
    const kept = `${given.database}.before-${new Date().toISOString().replace(/[-:.]/g, '')}`;
    await backUp(given.database, kept);
    const fresh = `${given.database}.restored`;
    copyFileSync(given.file, fresh);
    for (const suffix of ['-wal', '-shm']) rmSync(`${given.database}${suffix}`, { force: true });
    renameSync(fresh, given.database);
    return { kept };
  });
}

/** Refuses anything but a whole database of ours. */
export function checkBackup(file: string): void {
  if (!existsSync(file)) throw new SwarmError('not_found', `There is no file ${file}.`);
  const refused = (why: string, cause?: unknown) =>
    new SwarmError('invalid', `${file} is no backup of GitSwarm: ${why}.`, { cause });
  let db: ReturnType<typeof openSqliteFile> | undefined;
  try {
    db = openSqliteFile(file, { readOnly: true, busyMs: 1000 });
    const check = db.prepare('pragma quick_check').get() as { quick_check?: string } | undefined;
    if (check?.quick_check !== 'ok') throw refused(check?.quick_check ?? 'it is damaged');
    db.prepare('select name from schema_migration limit 1').get();
    db.prepare('select id from repo limit 1').get();
  } catch (error) {
    throw error instanceof SwarmError ? error : refused('it cannot be read as one', error);
  } finally {
    db?.close();
  }
}
