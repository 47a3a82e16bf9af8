import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endpoints } from '../contract/api.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { type Authenticated, actingAgent } from '../operations/authenticate.ts';
import { execute, parseInput } from '../operations/execute.ts';
import type { Operation } from '../operations/operation.ts';
import { findOperation } from '../operations/registry.ts';
import { remember } from '../operations/remember.ts';
import type { Caller } from './caller.ts';
import { type Face, PREFIX } from './face.ts';
import { type HostedRoute, hostedCall } from './hosted-call.ts';
import { hostedRoutes } from './hosted-routes.ts';
import { outerCursor } from './list-cursors.ts';
import { statusOf } from './openapi.ts';
import { remoteOf } from './remote.ts';
import { requestInput } from './request-input.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Found before anything else is looked at. */
    caller: Caller;
  }
}

/** Every endpoint of the contract that is not internal, as a route. */
export function publicEndpoints(): Endpoint[] {
  const plain = endpoints.filter((endpoint) => !endpoint.internal && !hostedRoutes.has(endpoint.name));
  return [...plain, ...[...hostedRoutes.values()].map((route) => route.endpoint)];
}

/** Makes the routes of the contract. An endpoint more there is a route more here. */
export function addContractRoutes(app: FastifyInstance, face: Face): void {
  for (const endpoint of publicEndpoints()) {
    app.route({
      method: endpoint.method,
      url: `${PREFIX}${endpoint.path}`,
      handler: (request, reply) => answer(endpoint, { request, reply, face }),
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

async function answer(endpoint: Endpoint, exchange: Exchange): Promise<unknown> {
  const hosted = hostedRoutes.get(endpoint.name);
  const answered = hosted ? answerHosted(hosted, exchange) : answerPlain(endpoint, exchange);
  const result = await answered;
  if (endpoint.method !== 'GET') exchange.face.wake();
  exchange.reply.code(statusOf(endpoint));
  return result;
}

/** A route that may need the clone: several operations and git, remembered as one under the caller's key. */
async function answerHosted(route: HostedRoute, { request, face }: Exchange): Promise<unknown> {
  const { endpoint } = route;
  const { input, actingAs, list } = requestInput(endpoint, request);
  const key = endpoint.method === 'GET' ? undefined : idempotencyKey(request);
  const parsed = parseInput({ endpoint }, input);
  if (request.caller.kind === 'unknown') throw request.caller.error;
  const { who } = request.caller;
  const { kernel } = face.server;
  const agent = actingAs === undefined ? who.agent : await actingAgent(kernel, who, actingAs);
  const call = await hostedCall(face, { callerId: agent.id, remote: remoteOf(face, who) });
  const run = () => route.run(call, parsed);
  if (key === undefined) return withOuterCursor(await run(), list);
  const turn = `${agent.id} ${key}`;
  return face.inTurn(turn, () =>
    remember(kernel, { actorId: agent.id, key, operation: endpoint.name, input: parsed }, run),
  );
}

async function answerPlain(endpoint: Endpoint, { request, face }: Exchange): Promise<unknown> {
  const operation = await operationOf(endpoint);
  const { input, actingAs, list } = requestInput(endpoint, request);
  const key = endpoint.method === 'GET' ? undefined : idempotencyKey(request);
  const who = request.caller.kind === 'known' ? request.caller.who : undefined;
  if (request.caller.kind === 'unknown' && (operation.needs !== 'nobody' || request.headers.authorization)) {
    parseInput(operation, input);
    throw request.caller.error;
  }
  const caller =
    who && (actingAs === undefined ? who.agent : await actor(operation, { input, actingAs, who, face }));
  const answered = await execute(face.server.kernel, operation, input, {
    callerId: caller?.id,
    caller,
    key,
    isAlone: true,
    remote: remoteOf(face, who),
  });
  return withOuterCursor(answered, list);
}

/** A request that is malformed says so before it is asked who sends it. */
function actor(
  operation: Operation,
  given: { input: unknown; actingAs: string; who: Authenticated; face: Face },
) {
  parseInput(operation, given.input);
  return actingAgent(given.face.server.kernel, given.who, given.actingAs);
}

async function operationOf(endpoint: Endpoint): Promise<Operation> {
  const operation = await findOperation(endpoint.name);
  if (operation) return operation;
  throw new SwarmError('internal', `There is no operation "${endpoint.name}".`);
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
