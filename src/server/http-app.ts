import { createHash, randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';
import { canonicalUrl } from './aliases.ts';
import { findCaller } from './caller.ts';
import { addDashboard } from './dashboard-routes.ts';
import { docsPage, inlineParts } from './docs-page.ts';
import { replyWithError } from './error-reply.ts';
import { addEventStreams } from './event-stream.ts';
import { type Face, PREFIX } from './face.ts';
import { addFileRoutes } from './file-routes.ts';
import { addLoginRoutes } from './login-routes.ts';
import { openApiDocument } from './openapi.ts';
import { addProbes } from './probes.ts';
import { addRateLimits } from './rate-limits.ts';
import { rawRoutes } from './raw-routes.ts';
import { addContractRoutes, publicEndpoints } from './routes.ts';
import { addUploadRoutes } from './upload-routes.ts';
import { addWebSocket } from './web-socket.ts';

export interface HttpOptions {
  /** TLS is in front: addresses and protocol are taken from what the proxy says. */
  behindTls: boolean;
  /** Where the built dashboard is, if not beside the program. */
  dashboardDir?: string;
  /** Where lines of the log go. */
  logTo: { write(line: string): void };
}

const LARGEST_BODY = 4 * 1024 * 1024;

/** The whole HTTP face, not listening yet. */
export async function makeHttpApp(face: Face, options: HttpOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: {
      level: face.server.switches.logLevel,
      stream: options.logTo,
      redact: ['req.headers', 'headers'],
      serializers: { req: loggedRequest },
    },
    bodyLimit: LARGEST_BODY,
    trustProxy: options.behindTls ? ['loopback', 'linklocal', 'uniquelocal'] : false,
    requestTimeout: 120_000,
    // A machine that is busy starts late, not never.
    pluginTimeout: 120_000,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    rewriteUrl: (request) => canonicalUrl(request.method ?? '', request.url ?? '/'),
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true },
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error, request, reply) => replyWithError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const nothing = new SwarmError(
      'not_found',
      `There is no route ${request.method} ${pathOf(request.url)}.`,
      {
        fix: `GET ${PREFIX}/openapi.json lists all routes.`,
      },
    );
    return replyWithError(nothing, request, reply);
  });
  addJsonParser(app);
  app.addHook('preClose', () => face.stopFollowing());
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    reply.header('referrer-policy', 'no-referrer');
    request.caller = await findCaller(face.server.kernel, request, options);
  });
  await addRateLimits(app, face);
  addProbes(app, face);
  addContractRoutes(app, face);
  await addFileRoutes(app, face);
  await addUploadRoutes(app, face);
  addEventStreams(app, face);
  await addWebSocket(app, face);
  addDocs(app);
  addLoginRoutes(app, face, options);
  addDashboard(app, options.dashboardDir);
  return app;
}

/** JSON, where an empty body is none at all: some clients name the type with every request. */
function addJsonParser(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined);
    else parse(request, String(text), done);
  });
}

function addDocs(app: FastifyInstance): void {
  let document: object | undefined;
  app.get(`${PREFIX}/openapi.json`, async () => {
    document ??= openApiDocument(publicEndpoints(), rawRoutes);
    return document;
  });
  const { style, script } = inlineParts();
  const policy = `default-src 'none'; connect-src 'self'; frame-ancestors 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'`;
  app.get(`${PREFIX}/docs`, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', policy);
    return docsPage(publicEndpoints());
  });
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** The sender's own id for the request where it is a harmless one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,100}$/.test(given) ? given : randomUUID();
}

/** What the log tells of a request: never the secret of a login link. */
function loggedRequest({ method, url, host, ip, socket }: FastifyRequest) {
  const harmless = url.replace(/([?&]token=)[^&]*/gi, '$1…');
  return { method, url: harmless, host, remoteAddress: ip, remotePort: socket.remotePort ?? 0 };
}

function pathOf(url: string): string {
  return (url.split('?')[0] ?? '').slice(0, 200);
}
