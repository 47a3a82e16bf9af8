import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import type { ServerLocks } from '../db/server-locks.ts';
import { type Lock, removeLock, tryLock } from '../machine/locks.ts';
import { describeHolder, holderOf, isHolderAlive, isSameMachine } from '../machine/process-identity.ts';

/**
 * The servers that share a data directory. Each has signed a file there and holds a lock for as long as it lives, which
 * the kernel frees: so that a server which died is known to be dead, also where processes cannot see each other, as
 * containers cannot.
 */
export interface FellowServers {
  /** False only where a process is certainly gone: a server by its lock, any other by what this machine can see. */
  isAlive(holder: string): boolean;
  /** How many fellows have been found dead by now: what they left is to be mended. */
  deaths(): number;
  /** Runs work of a name at one server of this directory at a time; at the others not at all. */
  inHouse(name: string, work: () => Promise<void>): Promise<void>;
  close(): void;
}

/** How long PostgreSQL may need to notice that a server is gone. */
const NOTICE_MS = 1500;
const FORGET_AFTER_MS = 30 * 86_400_000;

/**
 * Signs in. Throws usage where a server on another machine, or one with a copy of this directory, is at work: its
 * locks cannot be seen here. Without a PostgreSQL there is one server at a time.
 */
export async function signIn(dataDir: string, locks: ServerLocks | undefined): Promise<FellowServers> {
  const fellows = new Fellows(dataDir);
  try {
    await fellows.refuseStrangers(locks);
    await locks?.keep(pgName(fellows.id));
    return fellows;
  } catch (error) {
    fellows.close();
    throw error;
  }
}

const pgName = (id: string) => `is alive ${id}`;

class Fellows implements FellowServers {
  readonly id = newId();
  readonly #dataDir: string;
  readonly #dir: string;
  readonly #lock: Lock | undefined;
  readonly #dead = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#dir = join(dataDir, 'servers');
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    // Locked before it signs: what is signed and not locked is dead.
    this.#lock = tryLock(dataDir, lockName(this.id));
    writeFileSync(join(this.#dir, this.id), holderOf());
    for (const { id } of this.#others()) if (!this.#lives(id)) this.#forgetIfOld(id);
  }

  isAlive(holder: string): boolean {
    const signed = this.#others().filter((each) => each.holder === holder);
    if (signed.length === 0) return isHolderAlive(holder);
    return signed.some(({ id }) => this.#lives(id));
  }

  deaths(): number {
    for (const { id } of this.#others()) this.#lives(id);
    return this.#dead.size;
  }

  async inHouse(name: string, work: () => Promise<void>): Promise<void> {
    const lock = tryLock(this.#dataDir, `house-${name}`);
    if (!lock) return;
    try {
      await work();
    } finally {
      lock.release();
    }
  }

  close(): void {
    rmSync(join(this.#dir, this.id), { force: true });
    this.#lock?.release();
    removeLock(this.#dataDir, lockName(this.id));
  }

  async refuseStrangers(locks: ServerLocks | undefined): Promise<void> {
    for (const { id, holder } of this.#others()) {
      const isLocked = this.#lives(id);
      if (isLocked && locks && isSameMachine(holder)) continue;
      const isElsewhere = locks !== undefined && (await isHeldFor(locks, pgName(id), NOTICE_MS));
      if (isLocked && !locks) throw inUse(this.#dataDir, holder, 'and several servers need a PostgreSQL');
      if (isLocked || isElsewhere) throw inUse(this.#dataDir, holder, 'whose locks cannot be seen from here');
    }
  }

  #others(): { id: string; holder: string }[] {
    return readdirSync(this.#dir)
      .filter((id) => id !== this.id)
      .flatMap((id) => {
        const holder = readIfThere(join(this.#dir, id));
        return holder === undefined ? [] : [{ id, holder }];
      });
  }

  #lives(id: string): boolean {
    if (this.#dead.has(id)) return false;
    const lock = tryLock(this.#dataDir, lockName(id));
    if (!lock) return true;
    lock.release();
    // One that signs out removes its file first.
    if (readIfThere(join(this.#dir, id)) !== undefined) this.#dead.add(id);
    return false;
  }

  #forgetIfOld(id: string): void {
    const file = join(this.#dir, id);
    if (Date.now() - statSync(file).mtimeMs < FORGET_AFTER_MS) return;
    rmSync(file, { force: true });
    removeLock(this.#dataDir, lockName(id));
  }
}

const lockName = (id: string) => `server-${id}`;

async function isHeldFor(locks: ServerLocks, name: string, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; await locks.isHeldElsewhere(name); await pause(50))
    if (performance.now() > end) return true;
  return false;
}

function inUse(dataDir: string, holder: string, why: string): SwarmError {
  return new SwarmError('usage', `${dataDir} is in use by ${describeHolder(holder)}, ${why}.`, {
    fix: 'Servers share a data directory on one machine, with one PostgreSQL. Stop the other one, or give this one its own: --data',
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
