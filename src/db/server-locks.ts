import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { SwarmError } from '../contract/errors.ts';
import { isLostConnection, postgresFault, serverName } from './postgres-errors.ts';

/**
 * Locks between the servers on one PostgreSQL, by name. All of a server's stand on one connection of its own, so that
 * PostgreSQL frees them at the moment at which the server ends, however it ends.
 */
export interface ServerLocks {
  /**
   * Runs while no other server, and nothing else here, holds this name; `busy` after `waitMs` of trying, `unavailable`
   * where PostgreSQL gives no answer.
   */
  hold<T>(name: string, run: () => Promise<T>, options?: { waitMs?: number }): Promise<T>;
  /** Holds a name until it is closed, and again after each loss of the connection. Throws as hold does. */
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
/** No question here waits for anybody: a session that has not answered by then is lost. */
const ANSWER_MS = 5000;

/** So that PostgreSQL notices within half a minute that we are cut off; left to the system it takes hours. */
const NOTICE_LOSS =
  'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3';
const TRY_LOCK = 'select pg_try_advisory_lock($1) as is_so';
const UNLOCK = 'select pg_advisory_unlock($1)';

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
        await this.#ask(client, UNLOCK, name).catch(() => undefined);
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
    await this.#connected();
    this.#kept.add(name);
    await this.#take(name, WAIT_MS);
  }

  async isHeldElsewhere(name: string): Promise<boolean> {
    const client = await this.#connected();
    if (!(await this.#ask(client, TRY_LOCK, name))) return true;
    await this.#ask(client, UNLOCK, name);
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
      if (await this.#ask(client, TRY_LOCK, name)) return client;
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
      // The answer that did not come may have been that the name is ours: only with the session it is free again.
      if (isLostConnection(error)) drop(client);
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
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    });
    client.on('error', () => undefined);
    client.on('end', lost);
    try {
      await client.connect();
      await client.query(NOTICE_LOSS);
      const missing: string[] = [];
      for (const name of this.#kept) if (!(await this.#ask(client, TRY_LOCK, name))) missing.push(name);
      // Our own session before this one may hold them yet: what is asked meanwhile does not wait for that.
      if (missing.length > 0) this.#takeLater(client, missing);
      return client;
    } catch (error) {
      drop(client);
      throw postgresFault(error, this.#url);
    }
  }

  /** Goes on until all are taken or the connection is lost; the next one begins anew. */
  #takeLater(client: Client, names: readonly string[]): void {
    const timer = setTimeout(async () => {
      try {
        const missing: string[] = [];
        for (const name of names) if (!(await this.#ask(client, TRY_LOCK, name))) missing.push(name);
        if (missing.length > 0 && !this.#isClosed) this.#takeLater(client, missing);
      } catch {
        // Lost, which brings the next connection.
      }
    }, LONGEST_PAUSE_MS);
    timer.unref();
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

/** Not waited for: over a network that is gone it may take for ever. */
function drop(client: Client): void {
  client.end().catch(() => undefined);
}

/** Locks of one number, as those of repositories are, but of another name. */
function keyOf(name: string): string {
  return createHash('sha256').update(`gitswarm server ${name}`).digest().readBigInt64BE(0).toString();
}
