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

/** Counts requests, reads and writes apart: by key where there is a valid one, else by address. Throws limited. */
export async function addRateLimits(app: FastifyInstance, { server }: Face): Promise<void> {
  const given = server.switches.rateLimit;
  if (given === null) return;
  await app.register(rateLimit, { global: false, timeWindow: 60_000, cache: 20_000 });
  const limiter = (most: number) =>
    app.createRateLimit({
      max: (request: FastifyRequest) => Math.round(most * raise(request)),
      keyGenerator: (request: FastifyRequest) =>
        request.caller.kind === 'known' ? request.caller.who.keyHash : `address ${request.ip}`,
    });
  const reads = limiter(given ?? READS);
  const writes = limiter(given ?? WRITES);
  const strangers = limiter(given ?? STRANGERS);
  app.addHook('onRequest', async (request) => {
    if (isProbe(request)) return;
    const isKnown = request.caller.kind === 'known';
    const limit = !isKnown
      ? strangers
      : request.method === 'GET' || request.method === 'HEAD'
        ? reads
        : writes;
    const count = await limit(request);
    if (count.isAllowed || !count.isExceeded) return;
    throw new SwarmError('limited', `More than ${count.max} requests in a minute.`, {
      fix: `Wait ${count.ttlInSeconds} seconds.`,
      details: { retryAfterSeconds: Math.max(1, count.ttlInSeconds) },
    });
  });
}

function raise({ caller }: FastifyRequest): number {
  return caller.kind === 'known' ? 1 + Math.min(caller.who.agent.karma, FULL_KARMA) / FULL_KARMA : 1;
}

/** Probes come from monitors, often and without a key. */
function isProbe({ url }: FastifyRequest): boolean {
  return /^(\/api\/v1)?\/(health|ready|metrics)(\?|$)/.test(url);
}
