import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { endpoints } from '../contract/api.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { syncBatch } from '../contract/hosted-sync.ts';
import { parseInput } from '../operations/execute.ts';
import type { Caller } from './caller.ts';
import { unforeseen } from './error-reply.ts';
import { type Face, PREFIX } from './face.ts';
import { hostedRoutes } from './hosted-routes.ts';
import { outerCursor } from './list-cursors.ts';
import { statusOf } from './openapi.ts';
import { perform } from './perform.ts';
import { requestInput } from './request-input.ts';
import { runBatch } from './sync-batch.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Found before anything else is looked at. */
    caller: Caller;
  }
}

/**
 * Every endpoint of the contract that is a route: those that are not internal, and those that take the word of whoever
 * has the clone.
 */
export function publicEndpoints(): Endpoint[] {
  const plain = endpoints.filter(({ internal, name }) => internal !== true && !hostedRoutes.has(name));
  return [...plain, ...[...hostedRoutes.values()].map((route) => route.endpoint), syncBatch];
}

/** Makes the routes of the contract. An endpoint more there is a route more here. */
export function addContractRoutes(app: FastifyInstance, face: Face): void {
  for (const endpoint of publicEndpoints()) {
    const handle = endpoint === syncBatch ? answerBatch : answer;
    app.route({
      method: endpoint.method,
      url: `${PREFIX}${endpoint.path}`,
      config: { isRead: endpoint.isRead },
      handler: (request, reply) => handle(endpoint, { request, reply, face }),
    });
    // Older clients write what becomes of a stream with POST.
    if (endpoint.method === 'PATCH' && endpoint.path === '/streams/:stream')
      app.post(`${PREFIX}${endpoint.path}`, (request, reply) => answer(endpoint, { request, reply, face }));
  }
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  face: Face;
}

async function answer(endpoint: Endpoint, { request, reply, face }: Exchange): Promise<unknown> {
  const { list, ...given } = requestInput(endpoint, request);
  const key = endpoint.isRead ? undefined : idempotencyKey(request);
  const isNamed = request.headers.authorization !== undefined;
  const result = await perform(face, { ...given, endpoint, caller: request.caller, isNamed, key });
  if (!endpoint.isRead) face.wake();
  reply.code(statusOf(endpoint));
  return withOuterCursor(result, list);
}

/** Calls of a client that was away, in one. */
async function answerBatch(endpoint: Endpoint, { request, face }: Exchange): Promise<unknown> {
  const { input, actingAs, repoId } = requestInput(endpoint, request);
  const { events } = parseInput({ endpoint: syncBatch }, input) as z.output<typeof syncBatch.input>;
  const { caller } = request;
  if (caller.kind === 'unknown') throw caller.error;
  const sender = {
    who: caller.who,
    actingAs,
    repoId,
    endpoints: publicEndpoints().filter((each) => each !== syncBatch),
    countWrite: () => request.server.countWrite(request),
    onFailure: (error: unknown) => {
      request.log.error({ err: error }, 'an event of a batch failed');
      return unforeseen(request);
    },
  };
  try {
    return { results: await runBatch(face, sender, events) };
  } finally {
    face.wake();
  }
}

/** The caller's own name for this request, under which it is done once. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new SwarmError('invalid', 'Idempotency-Key has to be 1 to 200 visible ASCII characters.');
}

function withOuterCursor(answered: unknown, list: () => string): unknown {
  if (typeof answered !== 'object' || answered === null || !('nextCursor' in answered)) return answered;
  if (typeof answered.nextCursor !== 'string') return answered;
  return { ...answered, nextCursor: outerCursor(answered.nextCursor, list()) };
}
