import { constants, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** A private copy of a SQLite file with what its journal holds. */
export interface SqliteCopy {
  file: string;
  remove(): void;
}

const TRIES = 50;

/**
 * Copies a database so that it can be read without leaving a trace: SQLite itself makes files beside a database that
 * it only reads. A copy during which somebody wrote is thrown away and made again; undefined where nobody ever rests.
 */
export function copySqliteFile(file: string): SqliteCopy | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'gitswarm-look-'));
  const copy = join(directory, basename(file));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const before = stampOf(file);
      for (const suffix of ['', '-wal']) {
        rmSync(`${copy}${suffix}`, { force: true });
        if (isThere(`${file}${suffix}`))
          copyFileSync(`${file}${suffix}`, `${copy}${suffix}`, constants.COPYFILE_FICLONE);
      }
      if (stampOf(file) === before) return { file: copy, remove };
    }
  } catch (error) {
    remove();
    throw error;
  }
  remove();
  return undefined;
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** What changes whenever somebody writes. */
function stampOf(file: string): string {
  return ['', '-wal']
    .map((suffix) => statSync(`${file}${suffix}`, { bigint: true, throwIfNoEntry: false }))
    .map((stat) => (stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : '-'))
    .join(' ');
}
