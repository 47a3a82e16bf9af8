import type { ServerApp } from '../app/open-server.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { EventFeed } from './event-feed.ts';
import { MOST_FOLLOWERS } from './limits.ts';

export const PREFIX = '/api/v1';

/** What every part of the HTTP face works with. */
export interface Face {
  server: ServerApp;
  feed: EventFeed;
  /** Says that something may have been written: whoever follows the log looks at once, at other servers too. */
  wake(): void;
  /** Lets one more stream or socket of a key in; the answer lets it out again. Throws limited. */
  admit(keyHash: string): () => void;
  /** To be called when the server stops; the answer takes that back. */
  onStop(end: () => void): () => void;
  /** Does things of the same name one after the other, at whichever server. */
  inTurn<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** Does what nobody waits for; the server's stop does, and asks it to end soon. */
  inBackground(work: (stopping: AbortSignal) => Promise<void>): void;
  /** How many follow the log now. */
  followers(): number;
  /** Ends everything that stays open by itself. */
  stopFollowing(): Promise<void>;
}

/** With a PostgreSQL we are told at once of what other servers write; the clock is for the case that we were not. */
const POLL_MS = 1000;

export function makeFace(server: ServerApp, onFailure: (error: unknown) => void): Face {
  const feed = new EventFeed(server.kernel, { pollMs: POLL_MS, onFailure });
  const open = new Map<string, number>();
  const ends = new Set<() => void>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const turns = new Map<string, Promise<unknown>>();
  const hearing = server.hearOfEvents(() => feed.wake());
  const keys = setInterval(() => feed.checkKeys().catch(onFailure), 15_000);
  keys.unref();
  return {
    server,
    feed,
    wake() {
      feed.wake();
      server.redis?.announceEvents();
    },
    inTurn(name, run) {
      const before = turns.get(name) ?? Promise.resolve();
      // The same request may be at another server at this moment.
      const alone = () => (server.locks ? server.locks.hold(`turn ${name}`, run) : run());
      const done = before.then(alone, alone);
      turns.set(name, done);
      const forget = () => {
        if (turns.get(name) === done) turns.delete(name);
      };
      done.then(forget, forget);
      return done;
    },
    inBackground(work) {
      const done = work(stopping.signal)
        .catch((error: unknown) => {
          if (!isSwarmError(error, 'interrupted')) onFailure(error);
        })
        .finally(() => running.delete(done));
      running.add(done);
    },
    followers: () => [...open.values()].reduce((sum, each) => sum + each, 0),
    admit(keyHash) {
      const count = (open.get(keyHash) ?? 0) + 1;
      if (count > MOST_FOLLOWERS)
        throw new SwarmError('limited', `One key keeps at most ${MOST_FOLLOWERS} streams and sockets open.`);
      open.set(keyHash, count);
      let isOut = false;
      return () => {
        if (isOut) return;
        isOut = true;
        const left = (open.get(keyHash) ?? 1) - 1;
        if (left > 0) open.set(keyHash, left);
        else open.delete(keyHash);
      };
    },
    onStop(end) {
      ends.add(end);
      return () => ends.delete(end);
    },
    async stopFollowing() {
      clearInterval(keys);
      stopping.abort();
      for (const end of ends) end();
      await Promise.all([feed.close(), hearing.close(), ...running]);
    },
  };
}
