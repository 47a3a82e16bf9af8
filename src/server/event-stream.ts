import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SwarmError } from '../contract/errors.ts';
import type { SwarmEvent } from '../contract/events.ts';
import { type Face, PREFIX } from './face.ts';
import { placeInLog, requireReadable } from './follow-request.ts';
import { HEARTBEAT_MS, MOST_WAITING } from './limits.ts';

/** The log as server-sent events: of all repositories the caller may read, and of one. */
export function addEventStreams(app: FastifyInstance, face: Face): void {
  const options = { exposeHeadRoute: false };
  app.get(`${PREFIX}/events`, options, (request, reply) => stream(face, request, reply));
  app.get<{ Params: { repoId: string } }>(`${PREFIX}/repos/:repoId/events`, options, (request, reply) =>
    stream(face, request, reply, request.params.repoId),
  );
}

async function stream(
  face: Face,
  request: FastifyRequest,
  reply: FastifyReply,
  repoId?: string,
): Promise<void> {
  const { cursor, types, streamId } = queryOf(request);
  if (request.caller.kind === 'unknown') throw request.caller.error;
  const { who } = request.caller;
  if (who.agent.status !== 'active') throw new SwarmError('not_allowed', `${who.agent.name} is suspended.`);
  if (repoId !== undefined) await requireReadable(face, who, repoId);
  const after = await placeInLog(face, request.headers['last-event-id']?.toString() ?? cursor);
  const { raw } = reply;
  // Whoever has gone meanwhile is not told of again.
  if (raw.destroyed) return void reply.hijack();
  const release = face.admit(who.keyHash);
  reply.hijack();
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
  raw.write(`retry: 2000\n: from ${after}\n\n`);
  const beat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS);
  const following = face.feed.follow(
    { agentId: who.agent.id, credential: who.credential, repoId, streamId, types, after },
    {
      tell(event) {
        raw.write(frame(event));
        return raw.writableLength <= MOST_WAITING;
      },
      end(why) {
        if (why === 'limited') raw.destroy();
        else raw.end(`event: end\ndata: ${JSON.stringify({ code: why })}\n\n`);
      },
    },
  );
  const forget = face.onStop(() => raw.end());
  raw.on('close', () => {
    clearInterval(beat);
    following.close();
    release();
    forget();
  });
}

function frame(event: SwarmEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function queryOf(request: FastifyRequest) {
  const query = request.query as Record<string, unknown>;
  const text = (name: string) => (typeof query[name] === 'string' ? query[name] : undefined);
  const types = text('types') ?? text('type');
  return {
    cursor: text('cursor'),
    types: types === undefined || types === '' ? undefined : types.split(',').slice(0, 50),
    streamId: text('streamId') ?? text('stream_id'),
  };
}
