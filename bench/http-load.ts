import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';

/** A program that says where it listens. */
export interface Served {
  url: string;
  /** What it has written to stderr and stdout. */
  said(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program and waits until it says `listening on <url>`. */
export async function serve(args: string[], env: Record<string, string> = {}): Promise<Served> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const url = await new Promise<string>((done, fail) => {
    const hear = (bytes: Buffer) => {
      said = `${said}${bytes}`.slice(-100_000);
      const found = /listening on (http:\S+)/.exec(said)?.[1];
      if (found) done(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => fail(new Error(`it did not start: ${said}`)));
  });
  const stop = (signal: NodeJS.Signals = 'SIGTERM') =>
    new Promise<void>((done) => {
      child.once('exit', () => done());
      child.kill(signal);
    });
  return { url, said: () => said, stop };
}

export interface Answer {
  status: number;
  text: string;
  ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 400 });

/** One request over a kept connection; `once` is its idempotency key. */
export function send(
  method: string,
  url: string,
  { key, body, once }: { key?: string | undefined; body?: unknown; once?: string } = {},
): Promise<Answer> {
  const start = performance.now();
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const headers: Record<string, string> = {
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...(once ? { 'idempotency-key': once } : {}),
    ...(text === undefined
      ? {}
      : {
          'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
          'content-length': String(Buffer.byteLength(text)),
        }),
  };
  return new Promise((done, fail) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', fail);
      response.on('end', () =>
        done({
          status: response.statusCode ?? 0,
          text: Buffer.concat(parts).toString('utf8'),
          ms: performance.now() - start,
        }),
      );
    });
    sent.on('error', fail);
    sent.end(text);
  });
}

/** Requests a second that so many callers get answered. */
export async function throughput(
  ask: () => Promise<Answer>,
  { callers, ms }: { callers: number; ms: number },
) {
  const until = performance.now() + ms;
  let count = 0;
  const call = async () => {
    while (performance.now() < until) {
      const { status } = await ask();
      if (status !== 200) throw new Error(`answered ${status}`);
      count++;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return (count * 1000) / ms;
}

export function percentile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
