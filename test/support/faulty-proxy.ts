import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** What the way to a server does with a request. */
export type Fault =
  | 'none'
  /** Nothing is handed on, and the connection breaks. */
  | 'away'
  /** It is handed on, and the connection breaks when the answer is there. */
  | 'loses_answer'
  /** It is handed on, and the connection breaks in the middle of the answer. */
  | 'truncates_answer'
  /** It is handed on when it is told to: by `release`. */
  | 'hangs'
  /** Something in between answers instead. */
  | { answers: CannedAnswer; handsOn?: boolean };

export interface CannedAnswer {
  status: number;
  body: string | Buffer;
  headers?: Record<string, string>;
}

const page = (title: string) => `<html><head><title>${title}</title></head><body>${title}</body></html>`;
const html = { 'content-type': 'text/html' };

/** What stands in front of servers, and says of them. */
export const inBetween = {
  badGateway: { status: 502, body: page('502 Bad Gateway'), headers: html },
  unavailable: { status: 503, body: page('503 Service Unavailable'), headers: html },
  limited: { status: 429, body: page('429 Too Many Requests'), headers: { ...html, 'retry-after': '7' } },
  tooLarge: { status: 413, body: page('413 Request Entity Too Large'), headers: html },
  notFound: { status: 404, body: page('404 Not Found'), headers: html },
  /** The page on which a hotel asks for the number of the room. */
  portal: { status: 200, body: page('Welcome to our wireless network'), headers: html },
} as const satisfies Record<string, CannedAnswer>;

export function redirectTo(location: string): CannedAnswer {
  return { status: 307, body: '', headers: { location } };
}

/** A request as it arrived. */
export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  handedOn: boolean;
}

export interface FaultyProxy {
  url: string;
  fault: Fault;
  /** Meets each request that would meet `fault`, the first of them first. */
  next: Fault[];
  seen: Seen[];
  /** Told of each request as it arrives. */
  onRequest: () => void;
  /** Waits until that many requests hang. */
  untilHanging(count?: number): Promise<void>;
  /** Lets go on what hangs. */
  release(): void;
  stop(): Promise<void>;
}

const running: FaultyProxy[] = [];
afterEach(async () => {
  for (let proxy = running.pop(); proxy; proxy = running.pop()) await proxy.stop();
});

/** A way to the server at `target` that can be as bad as the ways to servers are, closed after the test. */
export async function makeFaultyProxy(target: string): Promise<FaultyProxy> {
  let hanging: (() => void)[] = [];
  let onHang: () => void = () => undefined;
  const hang = () =>
    new Promise<void>((resolve) => {
      hanging.push(resolve);
      onHang();
    });
  const server = createServer((incoming, outgoing) => {
    void handle(proxy, { target, incoming, outgoing, hang });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${port}`,
    fault: 'none',
    next: [],
    seen: [],
    onRequest: () => undefined,
    async untilHanging(count = 1) {
      while (hanging.length < count)
        await new Promise<void>((resolve) => {
          onHang = resolve;
        });
    },
    release() {
      for (const goOn of hanging) goOn();
      hanging = [];
    },
    async stop() {
      proxy.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  running.push(proxy);
  return proxy;
}

interface Exchange {
  target: string;
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  hang(): Promise<void>;
}

async function handle(proxy: FaultyProxy, { target, incoming, outgoing, hang }: Exchange): Promise<void> {
  const fault = proxy.next.shift() ?? proxy.fault;
  const { method = 'GET', url = '/', headers } = incoming;
  const body = await readAll(incoming).catch(() => undefined);
  if (body === undefined) return void outgoing.destroy();
  const seen = { method, url, headers, body: body.toString('utf8'), handedOn: false };
  proxy.seen.push(seen);
  proxy.onRequest();
  if (fault === 'away') return void outgoing.destroy();
  if (typeof fault === 'object' && !fault.handsOn) return reply(outgoing, fault.answers);
  if (fault === 'hangs') await hang();
  seen.handedOn = true;
  const answer = await handOn(target, incoming, body).catch(() => undefined);
  if (!answer || fault === 'loses_answer') return void outgoing.destroy();
  if (typeof fault === 'object') return reply(outgoing, fault.answers);
  if (fault !== 'truncates_answer') return reply(outgoing, answer);
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) });
  outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => outgoing.destroy());
}

function reply(outgoing: ServerResponse, { status, body, headers }: CannedAnswer): void {
  outgoing.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  outgoing.end(body);
}

function handOn(
  target: string,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<CannedAnswer & { body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { method, headers } = incoming;
    const { 'transfer-encoding': _, connection: __, ...rest } = headers;
    const onward = { ...rest, ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) };
    const asked = request(`${target}${incoming.url}`, { method, headers: onward }, (response) => {
      readAll(response).then((told) => {
        const type = response.headers['content-type'];
        const given = type === undefined ? {} : { 'content-type': type };
        resolve({ status: response.statusCode ?? 500, body: told, headers: given });
      }, reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
