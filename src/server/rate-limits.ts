import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';
import type { Face } from './face.ts';

/** Calls a minute. Karma raises those of a key, up to twice as many. */
const READS = 3000;
const WRITES = 900;
/** Requests without a valid key, of one address. */
const STRANGERS = 120;
const FULL_KARMA = 1000;
const WINDOW_MS = 60_000;

/** Counts a request; answers the limit and the seconds to wait where there are too many. */
type Limiter = (request: FastifyRequest) => Promise<{ max: number; seconds: number } | undefined>;

/** Counts requests, reads and writes apart: by key where there is a valid one, else by address. Throws limited. */
export async function addRateLimits(app: FastifyInstance, { server }: Face): Promise<void> {
  const given = server.switches.rateLimit;
  if (given === null) return;
  await app.register(rateLimit, { global: false, timeWindow: WINDOW_MS, cache: 20_000 });
  const limiter = (what: string, most: number): Limiter => {
    const count = app.createRateLimit({
      max: (request: FastifyRequest) => Math.round(most * raise(request)),
      keyGenerator: (request: FastifyRequest) => `${what} ${whoSends(request)}`,
    });
    return async (request) => {
      const here = await count(request);
      if (here.isAllowed) return undefined;
      if (here.isExceeded) return { max: here.max, seconds: here.ttlInSeconds };
      // This server counts in any case, so that its limit holds from the moment at which Redis goes away.
      const everywhere = await server.redis?.count(here.key, WINDOW_MS);
      if (!everywhere || everywhere.current <= here.max) return undefined;
      return { max: here.max, seconds: Math.ceil(everywhere.ttl / 1000) };
    };
  };
  const reads = limiter('reads', given ?? READS);
  const writes = limiter('writes', given ?? WRITES);
  const strangers = limiter('strangers', given ?? STRANGERS);
  app.addHook('onRequest', async (request) => {
    if (isProbe(request)) return;
    const isKnown = request.caller.kind === 'known';
    const limit = !isKnown
      ? strangers
      : request.method === 'GET' || request.method === 'HEAD'
        ? reads
        : writes;
    const exceeded = await limit(request);
    if (!exceeded) return;
    const wait = Math.max(1, exceeded.seconds);
    throw new SwarmError('limited', `More than ${exceeded.max} requests in a minute.`, {
      fix: `Wait ${wait} seconds.`,
      details: { retryAfterSeconds: wait },
    });
  });
}

function whoSends({ caller, ip }: FastifyRequest): string {
  return caller.kind === 'known' ? caller.who.keyHash : `address ${ip}`;
}

function raise({ caller }: FastifyRequest): number {
  return caller.kind === 'known' ? 1 + Math.min(caller.who.agent.karma, FULL_KARMA) / FULL_KARMA : 1;
}

/** Probes come from monitors, often and without a key. */
function isProbe({ url }: FastifyRequest): boolean {
  return /^(\/api\/v1)?\/(health|ready|metrics)(\?|$)/.test(url);
}
