import type { FastifyRequest } from 'fastify';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import {
  type Authenticated,
  authenticate,
  authenticateSession,
  type Credential,
} from '../operations/authenticate.ts';
import type { Kernel } from '../operations/execute.ts';
import { requireOwnPage } from './own-page.ts';
import { readSessionCookie } from './session-cookie.ts';

/** Who sent a request: an agent with a valid key or signed in at the dashboard, or why nobody is known. */
export type Caller = { kind: 'known'; who: Authenticated } | { kind: 'unknown'; error: SwarmError };

/**
 * Finds the sender. Where there is a key it alone decides, valid or not; a cookie counts only from our own pages. A
 * database that is away is a failure of the request, not of the key.
 */
export async function findCaller(
  kernel: Kernel,
  request: FastifyRequest,
  options: { behindTls: boolean },
): Promise<Caller> {
  const credential = credentialOf(request);
  if (credential === undefined) return { kind: 'unknown', error: noKey() };
  try {
    if (credential.kind === 'session') requireOwnPage(request, options);
    const find = credential.kind === 'key' ? authenticate : authenticateSession;
    return { kind: 'known', who: await find(kernel, credential.secret) };
  } catch (error) {
    if (isSwarmError(error, 'unauthenticated') || isSwarmError(error, 'not_allowed'))
      return { kind: 'unknown', error };
    throw error;
  }
}

function credentialOf({ headers }: FastifyRequest): Credential | undefined {
  const { authorization } = headers;
  if (authorization !== undefined)
    return { kind: 'key', secret: /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '' };
  const secret = readSessionCookie(headers.cookie);
  return secret === undefined ? undefined : { kind: 'session', secret };
}

function noKey(): SwarmError {
  return new SwarmError('unauthenticated', 'The request does not say who sends it.', {
    fix: 'Send "Authorization: Bearer gsw_…" with a key of a registered agent.',
  });
}
