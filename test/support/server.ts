import { afterEach } from 'vitest';
import { readEnvironment } from '../../src/app/environment.ts';
import { HostedRepositories } from '../../src/app/hosted-repositories.ts';
import { openServer, type ServerApp } from '../../src/app/open-server.ts';
import { type ServerSwitches, serverSwitches } from '../../src/app/server-settings.ts';
import type { Clock } from '../../src/base/clock.ts';
import { ensureAdmin } from '../../src/contract/server-admin.ts';
import type { Database } from '../../src/db/database.ts';
import { hashApiKey } from '../../src/domain/agents/api-keys.ts';
import { localAuthority } from '../../src/operations/authority.ts';
import { type RunningServer, startServer } from '../../src/server/start-server.ts';
import type { DatabasePlaceForTests } from './databases.ts';
import { tempDir } from './temp-dir.ts';

/** The answer of one request. */
export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked at field by field
  body: any;
}

export interface RequestOptions {
  /** A key. */
  as?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface ServerForTests {
  url: string;
  app: ServerApp;
  running: RunningServer;
  /** The administrator's key. */
  admin: string;
  /** `request('POST /repos', …)`: the path is under /api/v1 unless it begins with two slashes, for the root. */
  request(what: string, options?: RequestOptions): Promise<Reply>;
  /** The same, where anything but success fails the test. */
  ask(what: string, options?: RequestOptions): Promise<Reply['body']>;
  /** Registers an agent and answers its id and key. */
  agent(name: string): Promise<{ id: string; name: string; key: string }>;
  stop(): Promise<void>;
  log: string[];
}

export interface ServerOptions {
  place?: DatabasePlaceForTests;
  data?: string;
  clock?: Clock;
  behindTls?: boolean;
  dashboardDir?: string;
  switches?: Partial<ServerSwitches>;
  /** How often it does what nobody asks for. */
  houseEveryMs?: number;
  /** Further variables of its surroundings. */
  variables?: Record<string, string>;
}

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (let stop = running.pop(); stop; stop = running.pop()) await stop();
});

export const ADMIN = 'gsw_the-administrator-of-the-tests';

/** A server of our own on a free port, stopped after the test. */
export async function makeServer(options: ServerOptions = {}): Promise<ServerForTests> {
  const place = options.place;
  const app = await openServer({
    environment: readEnvironment({ PATH: process.env.PATH, HOME: tempDir('home'), ...options.variables }),
    db: place && ('url' in place ? place.url : place.file),
    data: options.data ?? tempDir('server'),
    ...(options.clock ? { clock: options.clock } : {}),
    switches: { rateLimit: null, adminToken: ADMIN, ...options.switches },
  });
  const server = await serve(app, options);
  running.push(server.stop);
  return server;
}

/** A server on a database that is open already, stopped by whoever started it. What it writes goes to `database`. */
export async function startOn(
  kept: Database,
  database: Database,
  { clock, adminToken }: { clock: Clock; adminToken: string },
): Promise<ServerForTests> {
  await localAuthority({ database: kept, clock }, {}).call(ensureAdmin, {
    apiKeyHash: hashApiKey(adminToken),
    replaceKey: true,
  });
  const environment = readEnvironment({ PATH: process.env.PATH });
  const switches = { ...serverSwitches(environment), rateLimit: null, adminToken };
  const kernel = { database, clock };
  const dataDir = tempDir('server');
  const close = async () => undefined;
  const hosted = new HostedRepositories(kernel, { dataDir, switches, environment });
  return serve({
    database,
    kernel,
    environment,
    switches,
    dataDir,
    madeToken: undefined,
    isFirstStart: false,
    hosted,
    redis: undefined,
    fellows: undefined,
    locks: undefined,
    hearOfEvents: () => ({ close }),
    close,
  });
}

async function serve(
  app: ServerApp,
  { behindTls = false, dashboardDir, houseEveryMs }: ServerOptions = {},
): Promise<ServerForTests> {
  const log: string[] = [];
  const started = await startServer(app, {
    host: '127.0.0.1',
    port: 0,
    behindTls,
    ...(dashboardDir === undefined ? {} : { dashboardDir }),
    insecure: false,
    logTo: { write: (line) => log.push(line) },
    ...(houseEveryMs === undefined ? {} : { houseEveryMs }),
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= started.stop().then(() => app.close());
    return stopped;
  };
  const admin = app.switches.adminToken ?? ADMIN;
  const request = (what: string, wish: RequestOptions = {}) => send(started.url, what, wish);
  const ask = async (what: string, wish: RequestOptions = {}) => {
    const reply = await request(what, wish);
    if (reply.status < 300) return reply.body;
    throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
  };
  const agent = async (name: string) => {
    const { agent: made, apiKey } = await ask('POST /agents', { as: admin, body: { name } });
    return { id: made.id, name, key: apiKey };
  };
  return { url: started.url, app, running: started, admin, request, ask, agent, stop, log };
}

/** One request; the path is under /api/v1 unless it begins with two slashes. */
export async function send(
  base: string,
  what: string,
  { as, body, headers = {} }: RequestOptions,
): Promise<Reply> {
  const [method = 'GET', path = '/'] = what.split(' ');
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${base}${path.startsWith('//') ? path.slice(1) : `/api/v1${path}`}`, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
      ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && bytes.length > 0 ? JSON.parse(bytes.toString('utf8')) : bytes.toString('utf8'),
  };
}
