import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import { endSession, openSession } from '../contract/sessions.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { newSessionToken } from '../domain/agents/session-tokens.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Face } from './face.ts';
import { requireOwnPage } from './own-page.ts';
import { attemptLimit } from './rate-limits.ts';
import { readSessionCookie, sessionCookie } from './session-cookie.ts';

const Proof = z.union([
  z.strictObject({ token: z.string().min(1).max(300) }),
  z.strictObject({ apiKey: z.string().trim().min(1).max(300) }),
]);

/**
 * Signing in at the dashboard and out again. The link's page is got without using the link up: previews of messages
 * open links too, so it is the button on the page that posts.
 */
export function addLoginRoutes(app: FastifyInstance, face: Face, options: { behindTls: boolean }): void {
  const authority = localAuthority(face.server.kernel, {});
  const refuseTooMany = attemptLimit(app, face);
  const isSecure = options.behindTls;

  app.post('/login', async (request, reply) => {
    requireOwnPage(request, options);
    await refuseTooMany(request);
    const proof = proofOf(request.body);
    const before = readSessionCookie(request.headers.cookie);
    // Always a new secret: one that was there before the proof may be known to whoever put it there.
    const token = newSessionToken();
    const { agent, expiresAt } = await authority.call(openSession, {
      tokenHash: hashApiKey(token),
      proof,
      ...(before === undefined ? {} : { replaces: hashApiKey(before) }),
    });
    face.wake();
    reply.header('set-cookie', sessionCookie(token, { isSecure, expiresAt }));
    return { agent, expiresAt };
  });

  app.post('/logout', async (request, reply) => {
    requireOwnPage(request, options);
    const token = readSessionCookie(request.headers.cookie);
    if (token !== undefined) await authority.call(endSession, { tokenHash: hashApiKey(token) });
    face.wake();
    reply.header('set-cookie', sessionCookie(undefined, { isSecure }));
    return {};
  });
}

function proofOf(body: unknown): { kind: 'link' | 'key'; hash: string } {
  const { data } = Proof.safeParse(body);
  if (!data) throw new SwarmError('invalid', 'Signing in takes {"token": …} of a link, or {"apiKey": …}.');
  if ('token' in data) return { kind: 'link', hash: hashApiKey(data.token) };
  return { kind: 'key', hash: hashApiKey(data.apiKey) };
}
