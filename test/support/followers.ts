import { onTestFinished } from 'vitest';

// biome-ignore lint/suspicious/noExplicitAny: messages are looked at field by field
type Message = any;

/** What was heard so far, and a way to wait for more. */
class Heard {
  readonly all: Message[] = [];
  ended: string | undefined;
  #waiting: (() => void)[] = [];

  add(message: Message): void {
    this.all.push(message);
    this.#tell();
  }

  end(why: string): void {
    this.ended ??= why;
    this.#tell();
  }

  /** Resolves as soon as what was heard fulfils a condition; a test that waits in vain runs into its time limit. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((done) => this.#waiting.push(done));
  }

  #tell(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

export interface StreamClient {
  /** Events in the order in which they came, each with the id it had. */
  events: Heard;
  status: number;
  close(): void;
}

/** Follows a stream of server-sent events. */
export async function openStream(
  url: string,
  key: string | undefined,
  headers: Record<string, string> = {},
): Promise<StreamClient> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(url, {
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
    signal: abort.signal,
  });
  const events = new Heard();
  const read = async () => {
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString('utf8');
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1];
        const data = field('data');
        if (data !== undefined)
          events.add({ id: field('id'), event: field('event'), data: JSON.parse(data) });
      }
    }
  };
  read().then(
    () => events.end('closed'),
    (error: Error) => events.end(error.name),
  );
  return { events, status: response.status, close: () => abort.abort() };
}

export interface SocketClient {
  messages: Heard;
  send(message: object): void;
  /** The next message of this type that nobody has taken yet. */
  next(type: string): Promise<Message>;
  events(): Message[];
  close(): void;
}

/** Opens a socket, and says who it is where a key is given. */
export async function openSocket(
  base: string,
  key?: string,
  headers: Record<string, string> = {},
): Promise<SocketClient> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/ws`, { headers });
  onTestFinished(() => socket.close());
  const messages = new Heard();
  const taken = new Set<Message>();
  socket.addEventListener('message', ({ data }) => messages.add(JSON.parse(String(data))));
  socket.addEventListener('close', ({ code }) => messages.end(String(code)));
  await new Promise((done) => socket.addEventListener('open', done, { once: true }));
  const client: SocketClient = {
    messages,
    send: (message) => socket.send(JSON.stringify(message)),
    async next(type) {
      const find = () => messages.all.find((each) => each.type === type && !taken.has(each));
      await messages.until(() => find() !== undefined);
      const found = find();
      taken.add(found);
      return found;
    },
    events: () => messages.all.filter((each) => each.type === 'event').map((each) => each.event),
    close: () => socket.close(),
  };
  if (key !== undefined) {
    client.send({ type: 'auth', token: key });
    await client.next('ready');
  }
  return client;
}
