import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ServerApp } from '../app/open-server.ts';
import { SwarmError } from '../contract/errors.ts';
import { makeFace } from './face.ts';
import { type HttpOptions, makeHttpApp } from './http-app.ts';
import { HOUSE_EVERY_MS, keepHouse } from './keep-house.ts';

export interface StartOptions extends HttpOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Keys may cross the network in the clear. */
  insecure: boolean;
  /** How often it does what nobody asks for. */
  houseEveryMs?: number;
}

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:7433`. */
  url: string;
  /** Refuses new work, finishes what runs, and closes what follows the log. The database stays open. */
  stop(): Promise<void>;
}

/** Starts to listen. Throws usage where keys would cross the network in the clear, unavailable where the port is taken. */
export async function startServer(server: ServerApp, options: StartOptions): Promise<RunningServer> {
  refuseClearKeys(options);
  const onFailure = (error: unknown) =>
    app.log.error({ err: error }, 'something that nobody waits for failed');
  const face = makeFace(server, onFailure);
  const app: FastifyInstance = await makeHttpApp(face, options);
  server.redis?.watch((isUp) => {
    if (isUp) app.log.info('Redis answers: limits are counted for all servers together');
    else app.log.warn('Redis is away: limits are counted by this server alone until it is back');
  });
  const url = await listen(app, options);
  keepHouse(face, { onFailure, everyMs: options.houseEveryMs ?? HOUSE_EVERY_MS });
  return { url, stop: () => stop(app) };
}

function refuseClearKeys({ host, behindTls, insecure }: StartOptions): void {
  if (behindTls || insecure || isLoopback(host)) return;
  throw new SwarmError('usage', `Listening on ${host} would send keys over the network in the clear.`, {
    fix: 'Put TLS in front and add --behind-tls; in a network you trust wholly, --insecure.',
  });
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

async function listen(app: FastifyInstance, { host, port }: StartOptions): Promise<string> {
  try {
    const url = await app.listen({ host, port });
    return url.replace('[::1]', 'localhost');
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new SwarmError('unavailable', `Port ${port} of ${host} is taken.`, {
        fix: 'Stop the other program, or choose another: --port <number>',
        cause: error,
      });
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new SwarmError('usage', `Cannot listen on ${host}:${port} (${code}).`, {
        fix: 'Choose another: --host <address> --port <number>',
        cause: error,
      });
    throw error;
  }
}

/** How long requests that run may go on while the server stops. */
const GRACE_MS = 20_000;

async function stop(app: FastifyInstance): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), GRACE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(late);
  }
}
