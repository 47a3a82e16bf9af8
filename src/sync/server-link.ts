import { AuthorityAway } from '../contract/authority-away.ts';
import { type ErrorCode, errorCodes, isSwarmError, SwarmError } from '../contract/errors.ts';

/** One request to the server. */
export interface Ask {
  method: string;
  /** Below `/api/v1`, with its query. */
  path: string;
  body?: unknown;
  /** Who acts, where that is not the holder of the token. */
  agentId?: string | undefined;
  /** The repository in which names are looked up. */
  repoId?: string | undefined;
  /** Idempotency key: with it a request whose answer was lost is sent once more. */
  key?: string | undefined;
  patienceMs?: number;
}

export interface LinkOptions {
  url: string;
  token: string;
  /** Nothing is sent at all: the server is taken to be away. */
  offline?: boolean;
}

const FIRST_PATIENCE_MS = 8000;
const PATIENCE_MS = 90_000;
/** A server that was away is asked again after this time; a command is over by then, a swarm goes on. */
const AWAY_FOR_MS = 3000;
/** Of a request that nobody has looked up under its key: they do not say whether it was done the first time. */
const UNREAD: readonly ErrorCode[] = [
  'limited',
  'unauthenticated',
  'not_configured',
  'too_large',
  'busy',
  'timed_out',
  'internal',
];
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** The way to the server that decides. Knows for a moment that it is away, so that one command does not wait twice. */
export class ServerLink {
  readonly url: string;
  /** Agents for whom the token was found not to speak. */
  readonly notSpokenFor = new Set<string>();
  /** When what waits is sent again, as of `performance.now()`: the server has just not been able to take it. */
  sendsAgainAt = 0;
  readonly #token: string;
  readonly #offline: boolean;
  #hasAnswered = false;
  #awayUntil = 0;
  #why = '';

  constructor({ url, token, offline = false }: LinkOptions) {
    this.url = url;
    this.#token = usableKey(token);
    this.#offline = offline;
  }

  /** True while nothing is sent: it has just been found away, or is not to be asked. */
  get isAway(): boolean {
    return this.#offline || performance.now() < this.#awayUntil;
  }

  /** The JSON of the answer. Throws the server's own error, or AuthorityAway where there was none. */
  async ask(ask: Ask): Promise<unknown> {
    if (this.#offline) throw new AuthorityAway(`The server ${this.url} is not asked: --offline.`);
    if (performance.now() < this.#awayUntil) throw this.#away(this.#why);
    try {
      return await this.#send(ask);
    } catch (error) {
      if (!(error instanceof LineBroken) || (ask.key === undefined && ask.method !== 'GET'))
        throw this.#told(error);
      // Whether it was done before the line broke nobody knows; under its key it is not done twice.
      return await this.#sendAgain(ask, error);
    }
  }

  async #sendAgain(ask: Ask, broken: LineBroken): Promise<unknown> {
    try {
      return await this.#send(ask);
    } catch (error) {
      const isUnread = isSwarmError(error) && UNREAD.includes(error.code);
      throw this.#told(isUnread && ask.key !== undefined ? broken : error);
    }
  }

  #told(error: unknown): unknown {
    if (!(error instanceof LineBroken)) return error;
    this.#awayUntil = performance.now() + AWAY_FOR_MS;
    this.#why = error.message;
    return this.#away(error.message);
  }

  #away(why: string): AuthorityAway {
    return new AuthorityAway(`The server ${this.url} is away: ${why}.`);
  }

  async #send({ method, path, body, agentId, repoId, key, patienceMs }: Ask): Promise<unknown> {
    const patience = patienceMs ?? (this.#hasAnswered ? PATIENCE_MS : FIRST_PATIENCE_MS);
    const response = await this.#fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(agentId === undefined ? {} : { 'x-gitswarm-agent': agentId }),
        ...(repoId === undefined ? {} : { 'x-gitswarm-repo': repoId }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The token goes to this server and to no other.
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    });
    const json = parseJson(await readText(response));
    if (response.ok && json === undefined && isJson(response)) throw new LineBroken('its answer is cut off');
    this.#hasAnswered = true;
    this.#awayUntil = 0;
    if (response.ok && json !== undefined) return json;
    throw errorOf(response, json, this.url);
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.url}/api/v1${path}`, request);
    } catch (error) {
      throw new LineBroken(reasonOf(error), { cause: error });
    }
  }
}

/** What cannot stand in a header would look like a server that is away. The key itself is shown to nobody. */
export function usableKey(token: string): string {
  const key = token.trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new SwarmError(
    'usage',
    'The key is empty, or holds blanks, line breaks or letters that no key has.',
    {
      fix: 'Give the key as it was shown: gitswarm connect --token <key>, or GITSWARM_TOKEN.',
    },
  );
}

/** There was no answer, or not all of it. */
class LineBroken extends Error {}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > LARGEST_ANSWER) throw new LineBroken('its answer does not end');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof LineBroken) throw error;
    throw new LineBroken(reasonOf(error), { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isJson({ headers }: Response): boolean {
  return headers.get('content-type')?.includes('json') ?? true;
}

/** What the server says went wrong; of what stands in front of it, that it is away or takes no more. */
function errorOf({ status, headers }: Response, json: unknown, url: string): Error {
  const told = asObject(asObject(json).error);
  const code = errorCodes.find((each) => each === told.code);
  if (code === 'unavailable' || code === 'interrupted' || (code === undefined && isFault(status)))
    return new LineBroken(typeof told.message === 'string' ? told.message : `it answers ${status}`);
  if (code === 'unauthenticated') return badKey(url, told.message);
  if (code !== undefined) return toSwarmError(code, told);
  if (status === 413) return new SwarmError('too_large', `What stands before ${url} takes no such request.`);
  if (status === 429) {
    const seconds = Number(headers.get('retry-after')) || 60;
    return new SwarmError('limited', `What stands before ${url} takes no more requests now.`, {
      fix: `Wait ${seconds} seconds.`,
      details: { retryAfterSeconds: seconds },
    });
  }
  // Not a refusal: a hotel that wants the number of the room has refused nothing of what was asked for.
  return noServer(url, `status ${status}`);
}

/** Something else stands at the address. */
export function noServer(url: string, why: string, cause?: unknown): SwarmError {
  return new SwarmError('not_configured', `What answers at ${url} is no GitSwarm server (${why}).`, {
    fix: 'Look at the network, and at the address: gitswarm connect --server <url> --token <token>',
    cause,
  });
}

/** Of whoever stands there, and over the next time. */
function isFault(status: number): boolean {
  return status >= 500 || status === 408;
}

function badKey(url: string, message: unknown): SwarmError {
  return new SwarmError('unauthenticated', `${url} does not take the key: ${String(message)}`, {
    fix: `gitswarm connect --server ${url} --token <key>; or set GITSWARM_TOKEN`,
  });
}

function toSwarmError(code: ErrorCode, told: Record<string, unknown>): SwarmError {
  return new SwarmError(code, typeof told.message === 'string' ? told.message : code, {
    ...(typeof told.fix === 'string' ? { fix: told.fix } : {}),
    details: asObject(told.details),
  });
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** `ECONNREFUSED` says more than "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it does not answer';
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
