import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';
import type { Face } from './face.ts';

/** Calls a minute. Karma raises those of a key, up to twice as many. */
const READS = 3000;
const WRITES = 900;
/** Requests without a valid key, of one address. Whoever has an IPv6 address has all of its /64. */
const STRANGERS = 120;
const FULL_KARMA = 1000;
const WINDOW_MS = 60_000;

/** Counts a request. Throws limited, with the seconds to wait, where there are too many. */
type Limiter = (request: FastifyRequest) => Promise<void>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Where the method of the route does not say so. */
    isRead?: boolean;
  }
  interface FastifyInstance {
    /** Counts one more write of who sends a request, for each that it holds beyond its first. */
    countWrite: Limiter;
  }
}

/** Counts requests, reads and writes apart: by key where there is a valid one, else by address. Throws limited. */
export async function addRateLimits(app: FastifyInstance, { server }: Face): Promise<void> {
  const given = server.switches.rateLimit;
  if (given === null) {
    app.decorate('countWrite', async () => undefined);
    return;
  }
  await app.register(rateLimit, { global: false, timeWindow: WINDOW_MS, cache: 20_000 });
  const limit = (what: string, most: number) =>
    limiter(app, server, {
      max: (request) => Math.round(most * raise(request)),
      key: (request) => `${what} ${whoSends(request)}`,
    });
  const reads = limit('reads', given ?? READS);
  const writes = limit('writes', given ?? WRITES);
  app.decorate('countWrite', writes);
  const strangers = limit('strangers', given ?? STRANGERS);
  app.addHook('onRequest', async (request) => {
    if (isProbe(request)) return;
    const isKnown = request.caller.kind === 'known';
    const { isRead = request.method === 'GET' || request.method === 'HEAD' } = request.routeOptions.config;
    await (!isKnown ? strangers : isRead ? reads : writes)(request);
  });
}

/** Attempts to sign in from one address, a minute. */
const ATTEMPTS = 10;

/** Counts attempts to sign in, which no karma raises; where the operator has switched limits off there is none. */
export function attemptLimit(app: FastifyInstance, { server }: Face): Limiter {
  if (server.switches.rateLimit === null) return async () => undefined;
  return limiter(app, server, {
    max: () => ATTEMPTS,
    key: ({ ip }) => `attempts address ${normalizeIP(ip)}`,
  });
}

function limiter(
  app: FastifyInstance,
  server: Face['server'],
  given: { max: (request: FastifyRequest) => number; key: (request: FastifyRequest) => string },
): Limiter {
  const count = app.createRateLimit({ max: given.max, keyGenerator: given.key });
  return async (request) => {
    const here = await count(request);
    if (here.isAllowed) return;
    if (here.isExceeded) throw tooMany(here.max, here.ttlInSeconds);
    // This server counts in any case, so that its limit holds from the moment at which Redis goes away.
    const everywhere = await server.redis?.count(here.key, WINDOW_MS);
    if (everywhere && everywhere.current > here.max)
      throw tooMany(here.max, Math.ceil(everywhere.ttl / 1000));
  };
}

function tooMany(max: number, seconds: number): SwarmError {
  const wait = Math.max(1, seconds);
  return new SwarmError('limited', `More than ${max} requests in a minute.`, {
    fix: `Wait ${wait} seconds.`,
    details: { retryAfterSeconds: wait },
  });
}

function whoSends({ caller, ip }: FastifyRequest): string {
  return caller.kind === 'known' ? caller.who.keyHash : `address ${normalizeIP(ip)}`;
}

function raise({ caller }: FastifyRequest): number {
  return caller.kind === 'known' ? 1 + Math.min(caller.who.agent.karma, FULL_KARMA) / FULL_KARMA : 1;
}

/** Probes come from monitors, often and without a key. */
function isProbe({ url }: FastifyRequest): boolean {
  return /^(\/api\/v1)?\/(health|ready|metrics)(\?|$)/.test(url);
}
