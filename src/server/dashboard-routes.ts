import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';
import { type DashboardFile, readDashboard } from './dashboard-files.ts';

/** Addresses of pages; what is shown there the browser decides. */
const PAGES = ['/', '/login', '/agents', '/repos/:repoId', '/repos/:repoId/streams/:stream'];

/** Nothing inline, nothing from elsewhere, and no text that a script could have read as HTML. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const NOT_BUILT = `The dashboard of this server is not built yet.

In the checkout from which the server was started:

    npm run build

and start it again. The API works without it: /api/docs
`;

/** The dashboard: the same page at each of its addresses, and the files it loads. */
export function addDashboard(app: FastifyInstance, dir?: string): void {
  const files = readDashboard(dir);
  const index = files.get('/index.html');
  for (const path of PAGES) {
    app.get(path, async (request, reply) => {
      if (!index) return reply.type('text/plain; charset=utf-8').send(NOT_BUILT);
      reply.header('content-security-policy', POLICY);
      reply.header('cross-origin-opener-policy', 'same-origin');
      return give(index, request, reply);
    });
  }
  for (const path of ['/assets/:name', '/favicon.svg']) {
    app.get(path, async (request, reply) => {
      const file = files.get(request.url.split('?')[0] ?? '');
      if (!file) throw new SwarmError('not_found', 'The dashboard has no such file.');
      if (file.isImmutable) reply.header('cache-control', 'public, max-age=31536000, immutable');
      return give(file, request, reply);
    });
  }
}

function give(file: DashboardFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.type(file.type).header('vary', 'accept-encoding');
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(file.bytes);
  return reply.header('content-encoding', 'gzip').send(file.zipped);
}
