import type { FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';

/**
 * Refuses what a page of somebody else could have had the browser send. The cookie alone proves nothing: a write has to
 * come from our own origin and carry a header that no foreign page can add, a socket from our own origin, and what
 * only reads must not name another one.
 */
export function requireOwnPage(request: FastifyRequest, { behindTls }: { behindTls: boolean }): void {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
  const { origin } = request.headers;
  const mustSay = isSocket || !isRead;
  if (origin === undefined ? mustSay : !isOwnOrigin(origin, request, behindTls)) {
    throw new SwarmError('not_allowed', 'The request does not come from a page of this server.', {
      fix: 'Programs send a key. Where a proxy is in front, it has to hand on the Host of the request.',
    });
  }
  if (!isRead && !request.headers['x-gitswarm-csrf']) {
    throw new SwarmError('not_allowed', 'A write with the cookie of the dashboard needs its header.', {
      fix: 'Send "X-GitSwarm-CSRF: 1", or a key instead of the cookie.',
    });
  }
}

/** With TLS in front only the encrypted address is ours; without, nobody but the browser knows how it came here. */
function isOwnOrigin(origin: string, request: FastifyRequest, behindTls: boolean): boolean {
  const schemes = behindTls ? ['https'] : ['http', 'https'];
  return schemes.some((scheme) => origin === `${scheme}://${request.host.toLowerCase()}`);
}
