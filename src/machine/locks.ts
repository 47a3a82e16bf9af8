import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isSqliteBusy, openSqliteFile, sqliteFault } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { describeHolder, holderOf } from './process-identity.ts';

/**
 * Locks between the processes of one machine. Each is `begin exclusive` on an empty SQLite file of its own: the kernel
 * frees it when the process ends, however it ends, and children do not inherit it.
 *
 * Never open a lock file by other means in this process: closing it would free the lock (fcntl). Who holds it is
 * therefore told by a file beside it. A lock file is never deleted, or two processes could lock two files of one name.
 */
export interface Lock {
  release(): void;
}

export interface WaitOptions {
  /** How long to wait at most, in milliseconds. */
  waitMs?: number;
  /** Called once, with who holds the lock, when there is a wait. */
  onWait?: (holder: string) => void;
}

/** Runs while holding the lock, waiting for it without keeping this process from other work; `busy` after `waitMs`. */
export async function withLock<T>(
  dir: string,
  name: string,
  run: () => Promise<T>,
  { waitMs = 30_000, onWait }: WaitOptions = {},
): Promise<T> {
  const lock = await waitForLock(dir, name, { waitMs, ...(onWait && { onWait }) });
  try {
    return await run();
  } finally {
    lock.release();
  }
}

/** The lock if it is free right now. */
export function tryLock(dir: string, name: string): Lock | undefined {
  const attempt = openAttempt(dir, name);
  const lock = attempt.take();
  if (!lock) attempt.giveUp();
  return lock;
}

/** Removes the file of a lock that is free and whose name nobody will ever take again. */
export function removeLock(dir: string, name: string): void {
  rmSync(join(locksDir(dir), `${checked(name)}.lock`), { force: true });
}

/** Who holds the lock, in words: `process 4711 on box (gitswarm merge s-3fxa)`. */
export function lockHolder(dir: string, name: string): string {
  try {
    const [holder = '', command = ''] = readFileSync(holderFile(dir, name), 'utf8').split('\n');
    return command ? `${describeHolder(holder)} (${command})` : describeHolder(holder);
  } catch {
    return 'another process';
  }
}

const LONGEST_PAUSE_MS = 25;

async function waitForLock(dir: string, name: string, { waitMs, onWait }: WaitOptions & { waitMs: number }) {
  const attempt = openAttempt(dir, name);
  const end = performance.now() + waitMs;
  for (let n = 1; ; n++) {
    const lock = attempt.take();
    if (lock) return lock;
    if (n === 1) onWait?.(lockHolder(dir, name));
    if (performance.now() >= end) break;
    const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * n);
    await new Promise((done) => setTimeout(done, pause));
  }
  attempt.giveUp();
  throw new SwarmError('busy', `the lock '${name}' is held by ${lockHolder(dir, name)}`, {
    fix: 'wait until it is done, or end it, and try again',
  });
}

function openAttempt(dir: string, name: string): { take(): Lock | undefined; giveUp(): void } {
  const file = join(locksDir(dir), `${checked(name)}.lock`);
  const db = openLockFile(file);
  return {
    take() {
      if (!beginExclusive(db, file)) return undefined;
      writeHolder(dir, name);
      return heldLock(db, holderFile(dir, name));
    },
    giveUp: () => db.close(),
  };
}

function heldLock(db: DatabaseSync, told: string): Lock {
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      rmSync(told, { force: true });
      db.close();
    },
  };
}

function openLockFile(file: string): DatabaseSync {
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    return openSqliteFile(file, { busyMs: 0 });
  } catch (error) {
    throw translated(error, file);
  }
}

function beginExclusive(db: DatabaseSync, file: string): boolean {
  try {
    db.exec('begin exclusive');
    return true;
  } catch (error) {
    if (isSqliteBusy(error)) return false;
    db.close();
    throw translated(error, file);
  }
}

/** For messages only: a process that dies leaves it behind, and the next holder overwrites it. */
function writeHolder(dir: string, name: string): void {
  const command = process.argv.slice(2).join(' ').replaceAll('\n', ' ').slice(0, 200);
  writeFileSync(holderFile(dir, name), `${holderOf()}\n${command}\n`);
}

function locksDir(dir: string): string {
  return join(dir, 'local', 'locks');
}

function holderFile(dir: string, name: string): string {
  return join(locksDir(dir), `${checked(name)}.holder`);
}

/** The name becomes a file name. */
function checked(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,99}$/.test(name)) return name;
  throw new SwarmError('internal', `'${name}' cannot name a lock: only a-z, 0-9, - and _`);
}

function translated(error: unknown, file: string): unknown {
  const fault = sqliteFault(error, file);
  return fault ? new SwarmError(fault.code, fault.message, { fix: fault.fix, cause: error }) : error;
}
