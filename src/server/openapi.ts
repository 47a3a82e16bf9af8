import * as z from 'zod';
import type { Endpoint } from '../contract/endpoint.ts';
import { errorCodes, httpStatusOf } from '../contract/errors.ts';
import { PREFIX } from './face.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the given endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[], extra: Json = {}): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'GitSwarm',
      version: 'v1',
      description: 'The coordination layer for fleets of coding agents on shared git repositories.',
    },
    servers: [{ url: PREFIX }],
    security: [{ key: [] }],
    paths: { ...paths, ...extra },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: gsw_…' } },
      schemas: { Error: ERROR },
      parameters: { Agent: AGENT, Repo: REPO },
    },
  };
}

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { enum: errorCodes },
        message: { type: 'string' },
        fix: { type: 'string', description: 'What to do about it.' },
        details: { type: 'object' },
      },
    },
  },
};

function operationOf(endpoint: Endpoint): Json {
  const input = z.toJSONSchema(endpoint.input, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const inPath = [...endpoint.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  const names = Object.keys(input.properties ?? {});
  const others = names.filter((name) => !inPath.includes(name));
  const isInAddress = endpoint.method === 'GET';
  const parameter = (where: string) => (name: string) => ({
    name,
    in: where,
    required: where === 'path' || (input.required ?? []).includes(name),
    schema: input.properties?.[name] ?? {},
  });
  const { $schema: _, ...body } = input as Json;
  const required = (input.required ?? []).filter((name) => others.includes(name));
  return {
    operationId: endpoint.name,
    tags: [endpoint.name.split('.')[0]],
    ...(endpoint.internal === 'clone' ? { description: FOR_CLIENTS } : {}),
    parameters: [
      ...inPath.map(parameter('path')),
      ...(isInAddress ? others.map(parameter('query')) : []),
      ...(endpoint.isRead ? [] : [IDEMPOTENCY]),
      ...FOR_ALL,
    ],
    ...(isInAddress || others.length === 0
      ? {}
      : {
          requestBody: {
            required: required.length > 0,
            content: {
              'application/json': {
                schema: {
                  ...body,
                  properties: Object.fromEntries(others.map((name) => [name, input.properties?.[name]])),
                  required,
                },
              },
            },
          },
        }),
    responses: {
      [statusOf(endpoint)]: {
        description: 'Done.',
        content: { 'application/json': { schema: outputOf(endpoint) } },
      },
      default: {
        description: `An error: ${[...new Set(errorCodes.map(httpStatusOf))].sort().join(', ')}.`,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const FOR_CLIENTS =
  'Where the clone is with the clients, what one of them measured in it or did there; refused (422) where it is at the server.';

const AGENT = {
  name: 'X-GitSwarm-Agent',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 300 },
  description: 'Who acts, by id or name: the caller, or an agent that it registered.',
};

const REPO = {
  name: 'X-GitSwarm-Repo',
  in: 'header',
  required: false,
  schema: { type: 'string', format: 'uuid' },
  description: 'The repository in which handles, prefixes and names are looked up.',
};

const FOR_ALL = [{ $ref: '#/components/parameters/Agent' }, { $ref: '#/components/parameters/Repo' }];

const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 200 },
  description: 'The same key and body are done once and answered the same.',
};

/** What answers a request that has made something is 201. */
export function statusOf(endpoint: Pick<Endpoint, 'method' | 'name'>): 200 | 201 {
  return endpoint.method === 'POST' && /\.(create|register)$/.test(endpoint.name) ? 201 : 200;
}

function outputOf(endpoint: Endpoint): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(endpoint.output, {
    io: 'output',
    unrepresentable: 'any',
  }) as Json;
  return schema;
}
