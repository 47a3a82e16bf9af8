import fastify, { type FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeServer } from '../../test/support/server.ts';
import { newId } from '../base/ids.ts';
import { endpoints } from '../contract/api.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { canonicalUrl } from '../server/aliases.ts';
import { PREFIX } from '../server/face.ts';
import { type JsonShape, shapeOf } from '../server/input-shape.ts';
import { requestInput } from '../server/request-input.ts';
import { publicEndpoints } from '../server/routes.ts';
import { requestOf } from './request-of.ts';

const called = endpoints.filter(({ internal }) => internal !== true);
const inputs = called.flatMap((endpoint) =>
  ([true, false] as const).map((flag) => ({
    what: `${endpoint.name} with ${flag ? 'everything' : 'as little as it takes'}`,
    endpoint,
    input: sampleOf(endpoint, flag),
  })),
);

describe('a call of the authority is a request that the server understands as the same call:', () => {
  let app: FastifyInstance;
  beforeAll(() => {
    app = fastify({
      rewriteUrl: (request) => canonicalUrl(request.method ?? '', request.url ?? '/'),
      routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true },
    });
    for (const endpoint of publicEndpoints())
      app.route({
        method: endpoint.method,
        url: `${PREFIX}${endpoint.path}`,
        handler: async (request) => ({ name: endpoint.name, ...requestInput(endpoint, request) }),
      });
  });

  it.each(inputs)('$what', async ({ endpoint, input }) => {
    const asked = endpoint.input.parse(input) as Record<string, unknown>;
    const { method, path, body } = requestOf(endpoint, asked);
    const reply = await app.inject({
      method: method as 'GET',
      url: `${PREFIX}${path}`,
      ...(body === undefined ? {} : { payload: body }),
    });
    const told = reply.json();
    expect(told).toMatchObject({ name: endpoint.name });
    expect(told.actingAs).toBeUndefined();
    expect(endpoint.input.parse(told.input)).toEqual(JSON.parse(JSON.stringify(asked)));
  });
});

it('every route of the authority is there at a server', async () => {
  const server = await makeServer();
  const missing: string[] = [];
  for (const { endpoint, input, what } of inputs.filter((_, n) => n % 2 === 1)) {
    const { method, path, body } = requestOf(
      endpoint,
      endpoint.input.parse(input) as Record<string, unknown>,
    );
    // Nobody in particular asks: whatever is there wants to know who it is, or tells what is not there.
    const { status, body: told } = await server.request(`${method} ${path}`, { body });
    if (status === 404 && told.error?.fix?.includes('openapi.json')) missing.push(what);
  }
  expect(missing).toEqual([]);
});

it.each(['.', '..', ''])('"%s" names nothing: it would be another address', async (task) => {
  const [show] = called.filter(({ name }) => name === 'task.show');
  if (!show) throw new Error('There is no such endpoint.');
  expect(() => requestOf(show, { task })).toThrow(expect.objectContaining({ code: 'invalid' }));
});

it.each(['a/b', 'a?b#c', 'ä ö', '100%', '%2e%2e', 'a+b', '...'])('"%s" is one name', async (agent) => {
  const [show] = called.filter(({ name }) => name === 'agent.show');
  if (!show) throw new Error('There is no such endpoint.');
  const { path } = requestOf(show, { agent });
  const { pathname, search, hash } = new URL(path, 'http://127.0.0.1');
  expect({ search, hash }).toEqual({ search: '', hash: '' });
  expect(decodeURIComponent(pathname.slice('/agents/'.length))).toBe(agent);
});

/** An input that the endpoint takes, made from what its schema says. */
function sampleOf(endpoint: Endpoint, everything: boolean): Record<string, unknown> {
  const shape = shapeOf(endpoint);
  return objectOf(shape, { root: shape, everything });
}

interface Wanted {
  root: JsonShape;
  everything: boolean;
}

type Shape = JsonShape & {
  required?: string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  minLength?: number;
  minItems?: number;
};

function objectOf(shape: Shape, wanted: Wanted): Record<string, unknown> {
  const names = Object.entries(shape.properties ?? {}).filter(
    ([name]) => wanted.everything || shape.required?.includes(name),
  );
  return Object.fromEntries(names.map(([name, each]) => [name, sampleValue(name, each, wanted)]));
}

function sampleValue(name: string, given: Shape, wanted: Wanted): unknown {
  const shape: Shape = given.$ref
    ? (wanted.root.$defs?.[given.$ref.replace('#/$defs/', '')] ?? given)
    : given;
  const [variant] = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])];
  if (variant) return sampleValue(name, variant, wanted);
  if (shape.const !== undefined) return shape.const;
  if (shape.enum) return shape.enum[0];
  switch (shape.type) {
    case 'object':
      return objectOf(shape, wanted);
    case 'array': {
      const item: Shape = shape.items ?? {};
      const first = sampleValue(name, item, wanted);
      return typeof first === 'string' && !item.pattern && !item.enum && wanted.everything
        ? [first, newId(2)]
        : [first];
    }
    case 'integer':
    case 'number':
      return Math.max(shape.minimum ?? 1, 1);
    case 'boolean':
      return name.length % 2 === 0;
    case 'string':
      // Places in a list are the list's own.
      return name === 'cursor' || name === 'after' ? '7' : textOf(name, shape);
    default:
      return undefined;
  }
}

function textOf(name: string, { pattern = '', format, minLength = 1 }: Shape): string {
  const hex = 'a'.repeat(40);
  const candidates = [
    newId(1),
    hex,
    'text',
    '2026-03-01T00:00:00.000Z',
    'https://x.example/y',
    'merge.landed',
  ];
  if (format === 'date-time') return '2026-03-01T00:00:00.000Z';
  if (format === 'uri') return 'https://x.example/y';
  const fit = candidates.find((each) => new RegExp(pattern, 'u').test(each) && each.length >= minLength);
  return fit ?? `${name} of some length`.padEnd(minLength, '.');
}
