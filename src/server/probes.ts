import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { SwarmError } from '../contract/errors.ts';
import { isReady } from '../operations/is-ready.ts';
import { type Face, PREFIX } from './face.ts';

/** Health, readiness and metrics, at the root and under the prefix. They need no key and tell no secret. */
export function addProbes(app: FastifyInstance, face: Face): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: 'gitswarm_http_request_seconds',
    help: 'Time to answer requests, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const followers = new Gauge({
    name: 'gitswarm_followers',
    help: 'Open event streams and sockets.',
    registers: [registry],
    collect() {
      this.set(face.followers());
    },
  });
  followers.set(0);
  const { redis } = face.server;
  if (redis) {
    new Gauge({
      name: 'gitswarm_redis_up',
      help: '1 while Redis answers; 0: limits are counted by this server alone.',
      registers: [registry],
      collect() {
        this.set(redis.isUp() ? 1 : 0);
      },
    });
  }
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  for (const prefix of ['', PREFIX]) {
    app.get(`${prefix}/health`, async () => ({ status: 'ok' }));
    app.get(`${prefix}/ready`, async () => {
      if (await isReady(face.server.database)) return { status: 'ready' };
      throw new SwarmError('unavailable', 'The database does not answer.');
    });
    app.get(`${prefix}/metrics`, async (_request, reply) => {
      reply.type(registry.contentType);
      return registry.metrics();
    });
  }
}
