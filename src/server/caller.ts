import type { FastifyRequest } from 'fastify';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { type Authenticated, authenticate } from '../operations/authenticate.ts';
import type { Kernel } from '../operations/execute.ts';

/** Who sent a request: an agent with a valid key, or why nobody is known. */
export type Caller = { kind: 'known'; who: Authenticated } | { kind: 'unknown'; error: SwarmError };

/** Finds the sender. A database that is away is a failure of the request, not of the key. */
export async function findCaller(kernel: Kernel, request: FastifyRequest): Promise<Caller> {
  const key = bearerOf(request.headers.authorization);
  if (key === undefined) return { kind: 'unknown', error: noKey() };
  try {
    return { kind: 'known', who: await authenticate(kernel, key) };
  } catch (error) {
    if (isSwarmError(error, 'unauthenticated')) return { kind: 'unknown', error };
    throw error;
  }
}

function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? '');
}

function noKey(): SwarmError {
  return new SwarmError('unauthenticated', 'The request does not say who sends it.', {
    fix: 'Send "Authorization: Bearer gsw_…" with a key of a registered agent.',
  });
}
