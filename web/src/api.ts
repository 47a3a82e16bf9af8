import * as z from 'zod';
import { Agent } from '../../src/contract/agents.ts';
import type { Endpoint, InputOf, OutputOf } from '../../src/contract/endpoint.ts';

export { type Agent, listAgents } from '../../src/contract/agents.ts';
export type { Endpoint, InputOf, OutputOf } from '../../src/contract/endpoint.ts';
export { EventType, listEvents, SwarmEvent } from '../../src/contract/events.ts';
export { showFullDiff } from '../../src/contract/hosted-files.ts';
export { askForMerge, judge } from '../../src/contract/hosted-streams.ts';
export { listRepos } from '../../src/contract/hosting.ts';
export { showMe } from '../../src/contract/me.ts';
export { listQueue } from '../../src/contract/merges.ts';
export type { Repo } from '../../src/contract/repos.ts';
export {
  type Consensus,
  checkConsensus,
  listReviews,
  type Review,
  type Verdict,
} from '../../src/contract/reviews.ts';
export { type Attention, repoStatus } from '../../src/contract/status.ts';
export {
  listStreamCommits,
  listStreams,
  type Stream,
  StreamState,
  showStream,
} from '../../src/contract/streams.ts';
export { claimTask, listTasks, type Task } from '../../src/contract/tasks.ts';

const PREFIX = '/api/v1';

/** What the server refused, in its words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string | undefined;

  constructor(
    status: number,
    { code, message, fix }: { code: string; message: string; fix?: string | undefined },
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

const ErrorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), fix: z.string().optional() }),
});

/** Asks for what an endpoint of the contract offers. Throws Refused. */
export async function ask<E extends Endpoint>(endpoint: E, input: InputOf<E>): Promise<OutputOf<E>> {
  const { method, path, output } = endpoint;
  const rest = new Map(
    Object.entries(input as Record<string, unknown>).filter(([, value]) => value !== undefined),
  );
  const address = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(rest.get(name));
    rest.delete(name);
    return encodeURIComponent(value);
  });
  if (method === 'GET') {
    const query = new URLSearchParams([...rest].map(([name, value]) => [name, String(value)]));
    const answer = await send(`${PREFIX}${address}${rest.size > 0 ? `?${query}` : ''}`, { method });
    return output.parse(answer) as OutputOf<E>;
  }
  const answer = await send(`${PREFIX}${address}`, { method, body: Object.fromEntries(rest) });
  return output.parse(answer) as OutputOf<E>;
}

const SignedIn = z.object({ agent: Agent, expiresAt: z.string() });

/** Signs in with the token of a link or with a key; the browser keeps the cookie. */
export async function signIn(
  proof: { token: string } | { apiKey: string },
): Promise<z.infer<typeof SignedIn>> {
  return SignedIn.parse(await send('/login', { method: 'POST', body: proof }));
}

export async function signOut(): Promise<void> {
  await send('/logout', { method: 'POST', body: {} });
}

/** The address of the log as server-sent events, after a place in it. */
export function eventsUrl(cursor: string | undefined): string {
  return `${PREFIX}/events${cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`}`;
}

async function send(url: string, { method, body }: { method: string; body?: object }): Promise<unknown> {
  const isWrite = method !== 'GET';
  const response = await fetch(url, {
    method,
    headers: isWrite
      ? { 'content-type': 'application/json', 'x-gitswarm-csrf': '1', 'idempotency-key': randomKey() }
      : {},
    ...(isWrite ? { body: JSON.stringify(body ?? {}) } : {}),
  }).catch(() => {
    throw new Refused(0, { code: 'unavailable', message: 'The server does not answer.' });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const known = ErrorBody.safeParse(answer);
  throw new Refused(
    response.status,
    known.data?.error ?? { code: 'internal', message: `The server answered ${response.status}.` },
  );
}

/** `crypto.randomUUID` is missing where a page came over plain HTTP. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
