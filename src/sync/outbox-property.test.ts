import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Client,
  type ConnectedClone,
  connectClone,
  streamWish,
  withMachine,
} from '../../test/support/connected-clone.ts';
import { type Fault, inBetween, redirectTo } from '../../test/support/faulty-proxy.ts';
import { factsOf } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { createStream, recordHead, showStream, submitStream } from '../contract/streams.ts';
import { cancelTask, createTask, updateTask } from '../contract/tasks.ts';
import { listOutbox } from '../machine/outbox.ts';

const LONG = process.env.GITSWARM_LONG === '1';

/** What a client wants; `of` picks one of what there is. */
type Wish =
  | { kind: 'task' | 'stream' | 'look' }
  | { kind: 'update' | 'cancel' | 'head' | 'submit'; of: number };

/** One process: what it wants, how the way to the server is, and whether it dies of its last request. */
interface Step {
  wishes: Wish[];
  first: Fault[];
  fault: Fault;
  dies: boolean;
}

/** What is too large stays too large. */
const { tooLarge: _, ...passing } = inBetween;

const faults = fc.oneof(
  { arbitrary: fc.constant<Fault>('none'), weight: 5 },
  { arbitrary: fc.constantFrom<Fault>('away', 'loses_answer', 'truncates_answer'), weight: 6 },
  {
    arbitrary: fc.constantFrom<Fault>(
      ...Object.values(passing).map((answers) => ({ answers })),
      { answers: redirectTo('http://127.0.0.1:9/') },
      { answers: { status: 200, body: '{"results": [{"seq": 1, "sta' } },
      { answers: { status: 500, body: '{"error": {"code": "moon_phase", "message": "\\u001b[2J"}}' } },
    ),
    weight: 3,
  },
);
const wishes = fc.oneof(
  fc.record({ kind: fc.constantFrom('task' as const, 'stream' as const, 'look' as const) }),
  fc.record({
    kind: fc.constantFrom('update' as const, 'cancel' as const, 'head' as const, 'submit' as const),
    of: fc.nat(),
  }),
);
const steps = fc.array(
  fc.record<Step>({
    wishes: fc.array(wishes, { minLength: 1, maxLength: 4 }),
    first: fc.array(faults, { maxLength: 4 }),
    fault: faults,
    dies: fc.boolean(),
  }),
  { minLength: 8, maxLength: LONG ? 60 : 20, size: 'max' },
);

/** A call, and what the log of the server says when it was done. */
interface Call {
  endpoint: Endpoint;
  input: object;
  event: string;
  subject: string;
  /** It will be done, or was: what may be asked for next follows from it. */
  onTaken(): void;
}

/** What there will be at the server when everything that was taken is done. */
class Known {
  readonly #repoId: string;
  readonly #tasks: string[] = [];
  readonly #streams: { id: string; name: string; heads: number; asked: boolean }[] = [];

  constructor(repoId: string) {
    this.#repoId = repoId;
  }

  /** The call that a wish comes to; undefined where there is nothing that it could be about. */
  callFor(wish: Exclude<Wish, { kind: 'look' }>): Call | undefined {
    if (wish.kind === 'task') return this.#task();
    if (wish.kind === 'stream') return this.#stream();
    if (!('of' in wish)) return undefined;
    if (wish.kind === 'update' || wish.kind === 'cancel') return this.#changeOfTask(wish.kind, wish.of);
    return this.#changeOfStream(wish.kind, wish.of);
  }

  get streams(): string[] {
    return this.#streams.map(({ id }) => id);
  }

  #task(): Call {
    const id = newId(Date.now());
    const onTaken = () => void this.#tasks.push(id);
    const input = { repoId: this.#repoId, id, title: id };
    return { endpoint: createTask, input, event: 'task.created', subject: id, onTaken };
  }

  #stream(): Call {
    const name = `work ${this.#streams.length}`;
    const wish = streamWish(this.#repoId, name);
    const onTaken = () => void this.#streams.push({ id: wish.id, name, heads: 0, asked: false });
    return { endpoint: createStream, input: wish, event: 'stream.created', subject: wish.id, onTaken };
  }

  #changeOfTask(kind: 'update' | 'cancel', of: number): Call | undefined {
    const at = of % Math.max(1, this.#tasks.length);
    const task = this.#tasks[at];
    if (task === undefined) return undefined;
    if (kind === 'update') {
      const input = { task, title: `${of} of ${newId(of)}` };
      return { endpoint: updateTask, input, event: 'task.updated', subject: task, onTaken: () => undefined };
    }
    const onTaken = () => void this.#tasks.splice(at, 1);
    return { endpoint: cancelTask, input: { task }, event: 'task.cancelled', subject: task, onTaken };
  }

  #changeOfStream(kind: 'head' | 'submit', of: number): Call | undefined {
    const stream = this.#streams[of % Math.max(1, this.#streams.length)];
    if (!stream) return undefined;
    const { id } = stream;
    const facts = factsOf(`${stream.name} ${stream.heads + (kind === 'head' ? 1 : 0)}`);
    if (kind === 'head') {
      const input = { stream: id, facts, cause: 'commit' };
      const onTaken = () => void stream.heads++;
      return { endpoint: recordHead, input, event: 'stream.committed', subject: id, onTaken };
    }
    if (stream.heads === 0 || stream.asked) return undefined;
    const onTaken = () => {
      stream.asked = true;
    };
    const input = { stream: id, facts };
    return { endpoint: submitStream, input, event: 'stream.submitted', subject: id, onTaken };
  }
}

const EVENTS = new Set([
  'task.created',
  'task.updated',
  'task.cancelled',
  'stream.created',
  'stream.committed',
  'stream.submitted',
]);

class Died extends Error {}

/** From now on it does nothing any more, and everybody else can see that. */
function kill({ machine }: Client, alive: Set<string>): void {
  const dead = () => {
    throw new Died();
  };
  machine.close();
  Object.assign(machine, { all: dead, get: dead, run: dead, write: dead });
  alive.delete(machine.holder);
}

it('whatever becomes of clients and of the way to the server, each call is done once and in its order', {
  timeout: LONG ? 1_200_000 : 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const clone = await connectClone();
      try {
        const expected = await live(clone, all);
        clone.proxy.fault = 'none';
        clone.proxy.next = [];
        const flushed = await clone.run(({ flush }) => flush(), { isAlive: () => false });
        expect(flushed).toMatchObject({ rejected: 0, remaining: 0 });
        expect(withMachine(clone.dir, listOutbox)).toEqual([]);
        const log = (await clone.log()).filter(({ type }) => EVENTS.has(type));
        expect(log.map(({ type, subject }) => `${type} ${subject.id}`)).toEqual(expected);
      } finally {
        await clone.proxy.stop();
        await clone.server.stop();
      }
    }),
    { numRuns: LONG ? 60 : 10 },
  );
});

/** Answers what the log has to say in the end. */
async function live(clone: ConnectedClone, all: readonly Step[]): Promise<string[]> {
  const known = new Known(clone.repoId);
  const alive = new Set<string>();
  const expected: string[] = [];
  for (const [n, { wishes: wanted, first, fault, dies }] of all.entries()) {
    Object.assign(clone.proxy, { fault, next: [...first] });
    const holder = `process ${n}`;
    alive.add(holder);
    const client = await unlessRefused(clone.open({ holder, isAlive: (each) => alive.has(each) }));
    if (client === 'refused') continue;
    for (const [i, wish] of wanted.entries()) {
      if (dies && i === wanted.length - 1) clone.proxy.onRequest = () => kill(client, alive);
      expected.push(...(await ask(client, known, wish)));
    }
    clone.proxy.onRequest = () => undefined;
    kill(client, alive);
  }
  return expected;
}

/** Answers what the log will say of it: what was answered, is kept, or was under way when the process died. */
async function ask({ authority }: Client, known: Known, wish: Wish): Promise<string[]> {
  if (wish.kind === 'look') {
    for (const stream of known.streams.slice(-1))
      await unlessRefused(authority.call(showStream, { stream })).catch(unlessDead);
    return [];
  }
  const call = known.callFor(wish);
  if (!call) return [];
  const { endpoint, input, event, subject } = call;
  const answer = await unlessRefused(authority.call(endpoint, input)).catch(unlessDead);
  if (answer === 'refused') return [];
  call.onTaken();
  return [`${event} ${subject}`];
}

/** What is kept for later is not refused. */
async function unlessRefused<T>(asked: Promise<T>): Promise<T | 'refused'> {
  try {
    return await asked;
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    if (error instanceof AuthorityAway && error.kept) return 'kept' as never;
    // Nothing is wrong with the calls themselves.
    expect(['unavailable', 'not_configured', 'limited']).toContain(error.code);
    return 'refused';
  }
}

function unlessDead(error: unknown): void {
  if (!(error instanceof Died)) throw error;
}
