import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { SwarmError } from '../contract/errors.ts';
import { postgresFault, serverName } from './postgres-errors.ts';

/**
 * Locks between the servers on one PostgreSQL, by name. All of a server's stand on one connection of its own, so that
 * PostgreSQL frees them at the moment at which the server ends, however it ends.
 */
export interface ServerLocks {
  /** Runs while no other server, and nothing else here, holds this name; `busy` after `waitMs`. */
  hold<T>(name: string, run: () => Promise<T>, options?: { waitMs?: number }): Promise<T>;
  /** Holds a name until it is closed, and again after each loss of the connection. */
  keep(name: string): Promise<void>;
  /** True where another server holds this name now. */
  isHeldElsewhere(name: string): Promise<boolean>;
  close(): Promise<void>;
}

export function serverLocks(url: string): ServerLocks {
  return new PgLocks(url);
}

const WAIT_MS = 30_000;
const LONGEST_PAUSE_MS = 25;
const AGAIN_AFTER_MS = 500;

class PgLocks implements ServerLocks {
  readonly #url: string;
  readonly #kept = new Set<string>();
  /** PostgreSQL lets a session take what it holds already: who comes next here waits here. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #client: Promise<Client> | undefined;
  #lastAnswer: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  hold<T>(name: string, run: () => Promise<T>, { waitMs = WAIT_MS } = {}): Promise<T> {
    const held = async () => {
      const client = await this.#take(name, waitMs);
      try {
        return await run();
      } finally {
        // On a connection that is lost it was freed already.
        await this.#ask(client, 'select pg_advisory_unlock($1)', name).catch(() => undefined);
      }
    };
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(held, held);
    this.#turns.set(name, turn);
    const forget = () => {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    };
    turn.then(forget, forget);
    return turn;
  }

  async keep(name: string): Promise<void> {
    const client = await this.#connected();
    this.#kept.add(name);
    await this.#ask(client, 'select pg_advisory_lock($1)', name);
  }

  async isHeldElsewhere(name: string): Promise<boolean> {
    const client = await this.#connected();
    if (!(await this.#ask(client, 'select pg_try_advisory_lock($1) as is_so', name))) return true;
    await this.#ask(client, 'select pg_advisory_unlock($1)', name);
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  async #take(name: string, waitMs: number): Promise<Client> {
    const end = performance.now() + waitMs;
    for (let n = 1; ; n++) {
      const client = await this.#connected();
      if (await this.#ask(client, 'select pg_try_advisory_lock($1) as is_so', name)) return client;
      if (performance.now() >= end) break;
      await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * n));
    }
    throw new SwarmError('busy', `Another server has been at work on this for ${waitMs / 1000} s.`, {
      fix: 'Try again in a moment.',
    });
  }

  /** One question after the other: a connection answers one at a time. */
  #ask(client: Client, statement: string, name: string): Promise<boolean> {
    const ask = async () => {
      const { rows } = await client.query<{ is_so?: boolean }>(statement, [keyOf(name)]);
      return rows[0]?.is_so === true;
    };
    const answer = this.#lastAnswer.then(ask, ask);
    this.#lastAnswer = answer;
    return answer.catch((error: unknown) => {
      throw postgresFault(error, this.#url);
    });
  }

  #connected(): Promise<Client> {
    if (this.#isClosed)
      return Promise.reject(new SwarmError('unavailable', `${serverName(this.#url)} is closed`));
    if (!this.#client) {
      const lost = () => {
        if (this.#client === connecting) this.#lost();
      };
      const connecting = this.#connect(lost);
      connecting.catch(lost);
      this.#client = connecting;
    }
    return this.#client;
  }

  async #connect(lost: () => void): Promise<Client> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'gitswarm locks',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    client.on('end', lost);
    try {
      await client.connect();
      for (const name of this.#kept) await this.#ask(client, 'select pg_advisory_lock($1)', name);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw postgresFault(error, this.#url);
    }
  }

  #lost(): void {
    this.#client = undefined;
    if (this.#isClosed || this.#timer || this.#kept.size === 0) return;
    // What is kept is taken again even where nobody asks for anything.
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connected().catch(() => undefined);
    }, AGAIN_AFTER_MS);
    this.#timer.unref();
  }
}

/** Locks of one number, as those of repositories are, but of another name. */
function keyOf(name: string): string {
  return createHash('sha256').update(`gitswarm server ${name}`).digest().readBigInt64BE(0).toString();
}
