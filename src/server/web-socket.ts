import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import { Id } from '../contract/common.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { SwarmEvent } from '../contract/events.ts';
import { type Authenticated, authenticate } from '../operations/authenticate.ts';
import type { Subscription } from './event-feed.ts';
import { type Face, PREFIX } from './face.ts';
import { placeInLog, requireReadable } from './follow-request.ts';
import { HEARTBEAT_MS, MOST_WAITING } from './limits.ts';

const AUTH_WITHIN_MS = 10_000;
const MOST_SUBSCRIPTIONS = 50;
const LARGEST_MESSAGE = 64 * 1024;

const Message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('auth'), token: z.string().max(300) }),
  z.object({
    type: z.literal('subscribe'),
    id: z.string().max(100).optional(),
    repoId: Id.optional(),
    streamId: Id.optional(),
    types: z.array(z.string().max(100)).max(50).optional(),
    cursor: z.union([z.string().max(20), z.number().int().min(0)]).optional(),
  }),
  z.object({ type: z.literal('unsubscribe'), id: z.string().max(100) }),
  z.object({ type: z.literal('ping') }),
]);
type Message = z.infer<typeof Message>;

/** The log over a socket on which a client may follow several things at once. */
export async function addWebSocket(app: FastifyInstance, face: Face): Promise<void> {
  await app.register(websocket, { options: { maxPayload: LARGEST_MESSAGE } });
  await app.register(async (scope) => {
    for (const path of ['/ws', `${PREFIX}/ws`])
      scope.get(path, { websocket: true }, (socket, request) =>
        new Connection(face, socket, request).begin(),
      );
  });
}

/** One socket: first who it is, then what it follows. */
class Connection {
  readonly #face: Face;
  readonly #socket: WebSocket;
  readonly #request: FastifyRequest;
  readonly #following = new Map<string, Subscription>();
  /** Messages are answered in the order in which they came. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #who: Authenticated | undefined;
  #release: () => void = () => undefined;
  #isAlive = true;
  #made = 0;

  constructor(face: Face, socket: WebSocket, request: FastifyRequest) {
    this.#face = face;
    this.#socket = socket;
    this.#request = request;
  }

  begin(): void {
    const socket = this.#socket;
    const unknown = setTimeout(() => {
      if (!this.#who) this.#close(4401, 'unauthenticated');
    }, AUTH_WITHIN_MS);
    const beat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    const forget = this.#face.onStop(() => this.#close(1001, 'the server stops'));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    socket.on('error', () => socket.terminate());
    socket.on('message', (bytes) => this.#enqueue(() => this.#take(String(bytes))));
    socket.on('close', () => {
      clearTimeout(unknown);
      clearInterval(beat);
      for (const each of this.#following.values()) each.close();
      this.#following.clear();
      this.#release();
      forget();
    });
    const { caller } = this.#request;
    if (caller.kind === 'known') this.#enqueue(() => this.#welcome(caller.who));
  }

  #enqueue(run: () => void | Promise<void>): void {
    if (++this.#waiting > 100) {
      this.#close(1008, 'too many messages at once');
      return;
    }
    this.#turn = this.#turn
      // Whoever is gone by the time its turn comes leaves nothing open here.
      .then(() => (this.#isOpen ? run() : undefined))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => {
        this.#waiting--;
      });
  }

  async #take(text: string): Promise<void> {
    const message = parse(text);
    if (message.type === 'ping') return this.#send({ type: 'pong' });
    if (message.type === 'auth') {
      if (this.#who) throw new SwarmError('wrong_state', 'This socket has said who it is already.');
      return this.#welcome(await authenticate(this.#face.server.kernel, message.token));
    }
    if (!this.#who) {
      throw new SwarmError('unauthenticated', 'Say who you are first.', {
        fix: '{"type":"auth","token":"gsw_…"}',
      });
    }
    if (message.type === 'unsubscribe') {
      this.#following.get(message.id)?.close();
      this.#following.delete(message.id);
      return this.#send({ type: 'unsubscribed', id: message.id });
    }
    await this.#subscribe(message, this.#who);
  }

  #welcome(who: Authenticated): void {
    if (!this.#isOpen) return;
    if (who.agent.status !== 'active') throw new SwarmError('not_allowed', `${who.agent.name} is suspended.`);
    try {
      this.#release = this.#face.admit(who.keyHash);
    } catch (error) {
      this.#refuse(error);
      this.#close(1013, 'limited');
      return;
    }
    this.#who = who;
    this.#send({ type: 'ready', agentId: who.agent.id });
  }

  async #subscribe(wish: Extract<Message, { type: 'subscribe' }>, who: Authenticated): Promise<void> {
    if (this.#following.size >= MOST_SUBSCRIPTIONS)
      throw new SwarmError('limited', `One socket follows at most ${MOST_SUBSCRIPTIONS} things.`);
    const id = wish.id ?? String(++this.#made);
    if (this.#following.has(id))
      throw new SwarmError('already_exists', `There is a subscription "${id}" already.`);
    if (wish.repoId !== undefined) await requireReadable(this.#face, who, wish.repoId);
    const after = await placeInLog(this.#face, wish.cursor);
    if (!this.#isOpen) return;
    this.#send({ type: 'subscribed', id, cursor: String(after) });
    const { repoId, streamId, types } = wish;
    const following = this.#face.feed.follow(
      { agentId: who.agent.id, credential: who.credential, repoId, streamId, types, after },
      {
        tell: (event) => this.#tell(id, event),
        end: (why) => this.#end(id, why),
      },
    );
    this.#following.set(id, following);
  }

  #tell(subscription: string, event: SwarmEvent): boolean {
    this.#send({ type: 'event', subscription, cursor: String(event.seq), event });
    return this.#socket.bufferedAmount <= MOST_WAITING;
  }

  /** A reader that is too slow is cut off at once: a word of farewell would wait behind everything else. */
  #end(id: string, why: 'unauthenticated' | 'not_found' | 'limited'): void {
    this.#following.delete(id);
    if (why === 'limited') this.#socket.terminate();
    else if (why === 'unauthenticated') this.#close(4401, why);
    else this.#send({ type: 'ended', id, code: why });
  }

  #beat(): void {
    if (!this.#isAlive) this.#socket.terminate();
    else this.#socket.ping();
    this.#isAlive = false;
  }

  #refuse(error: unknown): void {
    const known = isSwarmError(error)
      ? error
      : new SwarmError('internal', 'Something unexpected went wrong.');
    if (!isSwarmError(error)) this.#request.log.error({ err: error }, 'socket failed');
    const { code, message, fix } = known;
    this.#send({ type: 'error', error: { code, message, ...(fix === undefined ? {} : { fix }) } });
    if (code === 'unauthenticated') this.#close(4401, code);
    if (code === 'not_allowed') this.#close(4403, code);
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #send(message: object): void {
    if (this.#isOpen) this.#socket.send(JSON.stringify(message));
  }

  #close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }
}

function parse(text: string): Message {
  try {
    return Message.parse(JSON.parse(text));
  } catch {
    throw new SwarmError('invalid', 'The message is none of auth, subscribe, unsubscribe and ping.');
  }
}
