import type { SwarmEvent } from '../contract/events.ts';
import type { Credential } from '../operations/authenticate.ts';
import type { Kernel } from '../operations/execute.ts';
import { endOfLog, isStillValid, mayHear, readLog } from '../operations/follow-log.ts';

/** What somebody wants to hear, from which place in the log on. */
export interface Wish {
  agentId: string;
  credential: Credential;
  repoId?: string | undefined;
  streamId?: string | undefined;
  /** Types, or families such as `merge.*`; none: all. */
  types?: string[] | undefined;
  after: number;
}

export interface Listener {
  /** Tells an event and its place. False: whoever listens is too slow, and is let go. */
  tell(event: SwarmEvent): boolean;
  /** The key or the right to hear is gone. */
  end(why: 'unauthenticated' | 'not_found' | 'limited'): void;
}

export interface Subscription {
  close(): void;
}

/** So many events are kept at hand for those who follow closely. */
const RECENT = 2000;
const PAGE = 200;
/** Time alone may end a grant or a key, so what is known of rights is forgotten after this time. */
const RIGHTS_HOLD_MS = 5000;

/** Events that may change who hears what; they stand in the same log, in order. */
const CHANGES_RIGHTS = /^(access|maintainer|repo|agent|karma)\./;

interface Follower {
  wish: Wish;
  listener: Listener;
  at: number;
  pumping: boolean;
  again: boolean;
}

/**
 * Follows the log of events for many listeners with one reader. Each listener goes on from its own place, so nothing is
 * lost and nothing told twice, whether the events are at hand or have to be read again.
 */
export class EventFeed {
  readonly #kernel: Kernel;
  readonly #followers = new Set<Follower>();
  readonly #rights = new Map<string, { holds: Promise<boolean>; until: number }>();
  #recent: SwarmEvent[] = [];
  /** Everything after this place, up to the newest event read, is in `recent`. */
  #from: number | undefined;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  #isClosed = false;
  readonly #timer: NodeJS.Timeout;
  readonly #onFailure: (error: unknown) => void;

  constructor(kernel: Kernel, options: { pollMs: number; onFailure: (error: unknown) => void }) {
    this.#kernel = kernel;
    this.#onFailure = options.onFailure;
    this.#timer = setInterval(() => this.wake(), options.pollMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#followers.size;
  }

  /** Begins to tell. Whether this repository may be heard of has been asked before. */
  follow(wish: Wish, listener: Listener): Subscription {
    const follower: Follower = { wish, listener, at: wish.after, pumping: false, again: false };
    this.#followers.add(follower);
    this.wake();
    this.#start(follower);
    return { close: () => this.#followers.delete(follower) };
  }

  /** Something may have been written. */
  wake(): void {
    if (this.#isClosed || this.#followers.size === 0) return;
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = this.#readNew()
      .catch(this.#onFailure)
      .finally(() => {
        this.#reading = undefined;
        if (!this.#readAgain) return;
        this.#readAgain = false;
        this.wake();
      });
  }

  /** Ends those whose key or session is not valid any more, by time or by a change nobody told. */
  async checkKeys(): Promise<void> {
    const credentials = new Map(
      [...this.#followers].map(({ wish }) => [wish.credential.secret, wish.credential]),
    );
    for (const [secret, credential] of credentials) {
      if (await isStillValid(this.#kernel, credential)) continue;
      for (const each of [...this.#followers])
        if (each.wish.credential.secret === secret) this.#end(each, 'unauthenticated');
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#followers.clear();
    await this.#reading;
  }

  async #readNew(): Promise<void> {
    if (this.#from === undefined) {
      this.#from = await endOfLog(this.#kernel);
      // Who has read before this end may lack what was written in between, and nothing else would ever tell them.
      for (const follower of this.#followers) this.#start(follower);
    }
    for (;;) {
      const last = this.#recent.at(-1)?.seq ?? this.#from;
      const events = await readLog(this.#kernel, last, PAGE);
      if (events.length > 0) {
        this.#recent.push(...events);
        const old = this.#recent.length - RECENT;
        if (old > 0) this.#from = this.#recent.splice(0, old).at(-1)?.seq ?? this.#from;
        if (events.some((event) => CHANGES_RIGHTS.test(event.type))) this.#rights.clear();
        if (events.some((event) => event.type.startsWith('agent.'))) await this.checkKeys();
        for (const follower of this.#followers) this.#start(follower);
      }
      if (events.length < PAGE) return;
    }
  }

  #start(follower: Follower): void {
    follower.again = true;
    if (follower.pumping) return;
    follower.pumping = true;
    this.#pump(follower)
      .catch((error: unknown) => this.#onFailure(error))
      .finally(() => {
        follower.pumping = false;
        // Asked again after the last look and before this moment.
        if (follower.again && this.#followers.has(follower)) this.#start(follower);
      });
  }

  async #pump(follower: Follower): Promise<void> {
    while (follower.again && this.#followers.has(follower)) {
      follower.again = false;
      for (
        let page = await this.#after(follower.at);
        page.length > 0;
        page = await this.#after(follower.at)
      ) {
        for (const event of page) {
          if (!this.#followers.has(follower)) return;
          if (matches(event, follower.wish) && (await this.#isHeard(follower, event))) {
            if (!this.#followers.has(follower)) return;
            if (!follower.listener.tell(event)) return this.#end(follower, 'limited');
          }
          follower.at = event.seq;
        }
      }
    }
  }

  async #after(seq: number): Promise<SwarmEvent[]> {
    const isAtHand = this.#from !== undefined && seq >= this.#from;
    if (!isAtHand) return readLog(this.#kernel, seq, PAGE);
    return this.#recent.slice(firstAfter(this.#recent, seq), firstAfter(this.#recent, seq) + PAGE);
  }

  async #isHeard(follower: Follower, event: SwarmEvent): Promise<boolean> {
    const { agentId, repoId } = follower.wish;
    const isHeard = await this.#mayHear(agentId, event);
    if (!isHeard && repoId !== undefined) this.#end(follower, 'not_found');
    return isHeard;
  }

  #mayHear(agentId: string, event: SwarmEvent): Promise<boolean> {
    if (event.repoId === null) return mayHear(this.#kernel, agentId, event);
    const key = `${agentId} ${event.repoId}`;
    const known = this.#rights.get(key);
    const now = performance.now();
    if (known && known.until > now) return known.holds;
    const holds = mayHear(this.#kernel, agentId, event);
    this.#rights.set(key, { holds, until: now + RIGHTS_HOLD_MS });
    holds.catch(() => this.#rights.delete(key));
    return holds;
  }

  #end(follower: Follower, why: Parameters<Listener['end']>[0]): void {
    if (this.#followers.delete(follower)) follower.listener.end(why);
  }
}

function matches(event: SwarmEvent, { repoId, streamId, types }: Wish): boolean {
  if (repoId !== undefined && event.repoId !== repoId) return false;
  if (streamId !== undefined && event.subject.id !== streamId && event.data.streamId !== streamId)
    return false;
  return types === undefined || types.some((type) => isOfType(event.type, type));
}

function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/** The index of the first event after a place, in events ordered by theirs. */
function firstAfter(events: readonly SwarmEvent[], seq: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.seq ?? 0) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
