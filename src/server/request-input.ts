import type { FastifyRequest } from 'fastify';
import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { fromQuery, type JsonShape, ourName, shapeOf, withOurNames } from './input-shape.ts';
import { innerCursor } from './list-cursors.ts';
import { headerAgent, headerRepo } from './request-headers.ts';

/** A request in the words of its endpoint. */
export interface RequestInput {
  input: Record<string, unknown>;
  /** The agent the request says it comes from, where it says so. */
  actingAs: string | undefined;
  /** The repository in which it names things, where it says so. */
  repoId: string | undefined;
  /** Names the list whose cursors this request and its answer may carry. */
  list(): string;
}

/** Names under which a request says who acts; the caller has to be that one. */
const ACTORS = ['agentId', 'reviewerId', 'authorId', 'requestedBy', 'proposedBy', 'createdBy', 'voterId'];

/** Path, query and body as one input; the path wins, because it is what was asked about. */
export function requestInput(endpoint: Endpoint, request: FastifyRequest): RequestInput {
  const shape = shapeOf(endpoint);
  const query = fromQuery(named(request.query, shape), shape);
  const body = bodyOf(request);
  const path = named(request.params, shape);
  const given = { ...query, ...named(body, shape) };
  const { rest, actingAs } = takeActor(given, shape.properties ?? {}, headerAgent(request.headers));
  const input = { ...rest, ...path };
  const list = () => `${endpoint.name} ${JSON.stringify(Object.entries(path).sort())}`;
  for (const name of ['cursor', 'after']) {
    const cursor = input[name];
    if (shape.properties?.[name] && typeof cursor === 'string') input[name] = innerCursor(cursor, list());
  }
  return { input, actingAs, repoId: headerRepo(request.headers), list };
}

function named(value: unknown, shape: JsonShape): Record<string, unknown> {
  return { ...(withOurNames(value ?? {}, shape) as Record<string, unknown>) };
}

function bodyOf({ body }: FastifyRequest): object {
  if (body === undefined || body === null) return {};
  if (typeof body === 'object' && !Array.isArray(body) && !Buffer.isBuffer(body)) return body;
  throw new SwarmError('invalid', 'The body has to be a JSON object.');
}

/** What a request says of its sender, apart from the rest; `inHeader` says so too. */
export function takeActor(
  input: Record<string, unknown>,
  properties: Record<string, unknown>,
  inHeader?: string,
): { rest: Record<string, unknown>; actingAs: string | undefined } {
  const rest: Record<string, unknown> = {};
  const actors = new Set<string>(inHeader === undefined ? [] : [inHeader]);
  for (const [key, value] of Object.entries(input)) {
    const camel = key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (!ACTORS.includes(camel) || ourName(key, properties) !== undefined) rest[key] = value;
    else if (typeof value === 'string') actors.add(value);
    else if (value !== null) throw new SwarmError('invalid', `${key} has to be the id of an agent.`);
  }
  const [actingAs, second] = actors;
  if (second !== undefined) throw new SwarmError('invalid', 'The request names two agents as its sender.');
  return { rest, actingAs };
}
