import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** What several servers share through a Redis: counts that are forgotten again, and a signal. Nothing is kept there. */
export interface RedisLink {
  /** False while it is away or does not answer in time. */
  isUp(): boolean;
  /** Counts one more under a name; undefined, at once or soon, where nobody answers. */
  count(name: string, windowMs: number): Promise<Count | undefined>;
  /** Tells the other servers that there are new events. */
  announceEvents(): void;
  /** Calls `heard` whenever another server has announced events, and whenever that may have been missed. */
  hearOfEvents(heard: () => void): { close(): void };
  /** Calls back with every change between up and away, and with what is known already. */
  watch(changed: (isUp: boolean) => void): void;
  close(): void;
}

export interface Count {
  current: number;
  /** Milliseconds until it begins again. */
  ttl: number;
}

/** A request waits no longer than this for a Redis that has stopped to answer; those after it do not wait at all. */
const ANSWER_MS = 150;
const AGAIN_AFTER_MS = 1000;
const CHANNEL = 'gitswarm:events';
const PREFIX = 'gitswarm:count:';

/** Both in one step, so that no count stays for ever. */
const COUNT = `local n = redis.call('incr', KEYS[1])
local ttl = redis.call('pttl', KEYS[1])
if ttl < 0 then redis.call('pexpire', KEYS[1], ARGV[1]) ttl = tonumber(ARGV[1]) end
return {n, ttl}`;

/** Connects in the background and again by itself: nobody ever waits for a Redis that is away. */
export async function linkRedis(url: string): Promise<RedisLink> {
  const { Redis: Client } = await import('ioredis');
  const counting = new Client(url, { ...OPTIONS, commandTimeout: ANSWER_MS });
  const hearing = new Client(url, OPTIONS);
  return new Link(counting, hearing);
}

const OPTIONS = {
  connectionName: 'gitswarm',
  protocol: 2,
  // What cannot be asked now is not asked later: a count that comes late counts for nothing.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2000,
  retryStrategy: (times: number) => Math.min(100 * times, 2000),
} as const;

class Link implements RedisLink {
  readonly #counting: Redis;
  readonly #hearing: Redis;
  readonly #me = randomUUID();
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<(isUp: boolean) => void>();
  #isUp: boolean | undefined;
  #isClosed = false;
  #probe: NodeJS.Timeout | undefined;
  #announcing = false;
  #announceAgain = false;

  constructor(counting: Redis, hearing: Redis) {
    this.#counting = counting;
    this.#hearing = hearing;
    for (const client of [counting, hearing]) client.on('error', () => undefined);
    counting.on('ready', () => void this.#ask('probe', AGAIN_AFTER_MS));
    counting.on('close', () => this.#is(false));
    hearing.on('ready', () => void this.#listen());
    hearing.on('message', (_channel, sender) => {
      if (sender !== this.#me) this.#tell();
    });
  }

  isUp(): boolean {
    return this.#isUp === true;
  }

  async count(name: string, windowMs: number): Promise<Count | undefined> {
    return this.isUp() ? this.#ask(name, windowMs) : undefined;
  }

  announceEvents(): void {
    if (!this.isUp()) return;
    if (this.#announcing) {
      this.#announceAgain = true;
      return;
    }
    this.#announcing = true;
    const done = () => {
      this.#announcing = false;
      if (!this.#announceAgain) return;
      this.#announceAgain = false;
      this.announceEvents();
    };
    this.#counting.publish(CHANNEL, this.#me).then(done, done);
  }

  hearOfEvents(heard: () => void): { close(): void } {
    this.#listeners.add(heard);
    return { close: () => this.#listeners.delete(heard) };
  }

  watch(changed: (isUp: boolean) => void): void {
    this.#watchers.add(changed);
    if (this.#isUp !== undefined) changed(this.#isUp);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    this.#counting.disconnect();
    this.#hearing.disconnect();
  }

  /** Any failure means away: a Redis that cannot count is as good as none. */
  async #ask(name: string, windowMs: number): Promise<Count | undefined> {
    try {
      const answer = await this.#counting.eval(COUNT, 1, `${PREFIX}${name}`, windowMs);
      const [current, ttl] = Array.isArray(answer) ? answer.map(Number) : [];
      if (current === undefined || ttl === undefined) throw new TypeError('no count');
      this.#is(true);
      return { current, ttl };
    } catch {
      this.#is(false);
      return undefined;
    }
  }

  #is(isUp: boolean): void {
    if (this.#isClosed) return;
    if (!isUp) this.#probeSoon();
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    for (const changed of this.#watchers) changed(isUp);
  }

  /** While it is away only we ask, and nobody waits for the answer. */
  #probeSoon(): void {
    if (this.#probe) return;
    this.#probe = setTimeout(() => {
      this.#probe = undefined;
      void this.#ask('probe', AGAIN_AFTER_MS);
    }, AGAIN_AFTER_MS);
    this.#probe.unref();
  }

  async #listen(): Promise<void> {
    await this.#hearing.subscribe(CHANNEL).catch(() => undefined);
    // Something may have been announced while nobody listened.
    this.#tell();
  }

  #tell(): void {
    for (const heard of this.#listeners) heard();
  }
}
