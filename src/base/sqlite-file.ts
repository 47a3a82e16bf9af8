import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** What went wrong with a SQLite file, in words for a person; `code` is one of the closed list of error codes. */
export interface SqliteFault {
  code: 'busy' | 'read_only' | 'internal';
  message: string;
  fix: string;
}

/** Opens or creates the file. `busyMs` is how long a statement may block this thread while another connection holds the lock. */
export function openSqliteFile(file: string, options: { readOnly?: boolean; busyMs: number }): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: options.readOnly ?? false, timeout: options.busyMs });
  if (!options.readOnly) return db;
  try {
    db.prepare('pragma schema_version').get();
    return db;
  } catch (error) {
    db.close();
    if (primaryCode(error) !== CANNOT_OPEN || !existsSync(file)) throw error;
    return openUnchanging(file);
  }
}

/** Where nothing can be written, SQLite reads a file with a journal only if told that nobody else can write it either. */
function openUnchanging(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/** The fault behind an error of node:sqlite, or undefined where the statement is to blame and not the file. */
export function sqliteFault(error: unknown, file: string): SqliteFault | undefined {
  switch (primaryCode(error)) {
    case BUSY:
    case LOCKED:
      return {
        code: 'busy',
        message: `${file} is locked by another process`,
        fix: 'try again once the other gitswarm process is done',
      };
    case READ_ONLY:
      return {
        code: 'read_only',
        message: `${file} cannot be written`,
        fix: 'make the file and its directory writable, or put it on another disk',
      };
    case CANNOT_OPEN:
    case PERMISSION:
    case NO_ACCESS:
      return {
        code: 'read_only',
        message: `${file} cannot be opened or created`,
        fix: 'check that its directory exists and that you may read and write there',
      };
    case CORRUPT:
    case NOT_A_DATABASE:
      return {
        code: 'internal',
        message: `${file} is damaged or not a GitSwarm database`,
        fix: `move it away (mv '${file}' '${file}.damaged') and restore a backup, or start again with 'gitswarm init'`,
      };
    case FULL:
      return {
        code: 'internal',
        message: `the disk that holds ${file} is full`,
        fix: 'free some space and try again',
      };
    case IO_ERROR:
      return {
        code: 'internal',
        message: `${file} could not be read or written`,
        fix: 'check the disk; a database on a network file system is not supported',
      };
    default:
      return undefined;
  }
}

/** True where another connection held the lock for longer than the busy time-out. */
export function isSqliteBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === BUSY || code === LOCKED;
}

/** True where a row with the same primary key or unique columns exists. */
export function isSqliteUniqueViolation(error: unknown): boolean {
  const code = resultCode(error);
  return code === UNIQUE || code === PRIMARY_KEY;
}

/**
 * Numbers that are whole are bound as integers: node:sqlite would bind them as floating point, which turns integer
 * division into the other kind and `1` in a text column into `1.0`.
 */
export function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint')
    return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`a ${typeof value} cannot be stored: use text, a number, bytes or null`);
}

const BUSY = 5;
const LOCKED = 6;
const PERMISSION = 3;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NO_ACCESS = 23;
const NOT_A_DATABASE = 26;
const PRIMARY_KEY = 1555;
const UNIQUE = 2067;

/** SQLite's extended result code; its lowest byte is the primary one. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : code & 0xff;
}
