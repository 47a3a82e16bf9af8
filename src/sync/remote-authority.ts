import { type Clock, isoTime } from '../base/clock.ts';
import { showAgent } from '../contract/agents.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { Endpoint, OutputOf } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { requestMerge } from '../contract/merges.ts';
import { Facts, listStreamCommits, type Stream, showStream } from '../contract/streams.ts';
import { showTask } from '../contract/tasks.ts';
import type { Connection } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { keepWaiting, listOutbox, putIntoOutbox, takeOut } from '../machine/outbox.ts';
import type { Authority, CallOptions } from '../operations/authority.ts';
import { answerOf } from './answer-of.ts';
import { isRemembered, recall, recallStream, remember } from './remembered.ts';
import { requestOf } from './request-of.ts';
import type { ServerLink } from './server-link.ts';
import { answerMeanwhile, isKept } from './while-away.ts';

/** What the authority of a connected repository works with. */
export interface Remote {
  link: ServerLink;
  machine: Machine;
  connection: Connection;
  clock: Clock;
  /** Sends what waits in the outbox; answers how much still waits. */
  flush(): Promise<number>;
  /** Told when something is kept for the server, and the caller goes on. */
  onKept(): void;
  /** Told when an answer is an older one. */
  onRecall(askedAt: string): void;
}

/**
 * The authority of a repository that a server decides. Every write is in the outbox before it is sent, under its
 * idempotency key. While the server is away nothing is decided: what can be asked for later is kept there, and what
 * things are is answered as it was last known.
 */
export function remoteAuthority(remote: Remote, callerId?: string): Authority {
  const { connection } = remote;
  const actorId = callerId ?? connection.agentId;
  return {
    kind: 'server',
    as: (id) => remoteAuthority(remote, id),
    async call(endpoint, input, options) {
      const parsed = endpoint.input.parse(input) as Record<string, unknown>;
      const isWrite = endpoint.isRead !== true;
      const call = { endpoint, input: isWrite ? byIds(remote, parsed) : parsed, actorId };
      const answer = await (isWrite ? write(remote, call, options) : ask(remote, call));
      return answer as OutputOf<typeof endpoint>;
    },
    tellLater(endpoint, input, known) {
      const parsed = endpoint.input.parse(input) as Record<string, unknown>;
      putIntoOutbox(remote.machine, entryOf(remote, { endpoint, input: parsed, actorId }, 'waiting'));
      if (known) rememberStream(remote, known);
    },
  };
}

interface CallOf<E extends Endpoint = Endpoint> {
  endpoint: E;
  input: Record<string, unknown>;
  actorId: string;
}

/**
 * What a name stands for may be another thing when the server is back: while it is away a call is kept under the ids that
 * are known here. A server that answers looks names up itself.
 */
function byIds({ link, machine }: Remote, input: Record<string, unknown>): Record<string, unknown> {
  if (!link.isAway) return input;
  const known = { ...input };
  for (const { as, endpoint } of NAMED) {
    if (typeof input[as] !== 'string') continue;
    const answer = recall(machine, { endpoint, input: { [as]: input[as] } })?.answer;
    if (answer) known[as] = (answer as { id: string }).id;
  }
  return known;
}

const NAMED = [
  { as: 'stream', endpoint: showStream },
  { as: 'task', endpoint: showTask },
] as const;

async function ask(remote: Remote, call: CallOf): Promise<unknown> {
  try {
    // What is asked about may be changed by what waits.
    await remote.flush();
    return await send(remote, call);
  } catch (error) {
    if (!(error instanceof AuthorityAway) || !isRemembered(call.endpoint)) throw error;
    const known = recall(remote.machine, call);
    if (!known) throw error;
    remote.onRecall(known.askedAt);
    return call.endpoint.output.parse(known.answer);
  }
}

async function write(remote: Remote, call: CallOf, options: CallOptions = {}): Promise<unknown> {
  const { machine } = remote;
  const kept = isKept(call.endpoint);
  const entry = putIntoOutbox(machine, { ...entryOf(remote, call, 'sending'), key: options.key });
  try {
    // The server sees everything in its order.
    if ((await remote.flush()) > 0)
      throw new AuthorityAway('The server does not take what waits in the outbox yet.');
    const answer = await send(remote, call, entry.key);
    takeOut(machine, entry.seq);
    return answer;
  } catch (error) {
    if (!(error instanceof AuthorityAway) || !kept) {
      // Refused, or not to be asked for later: the caller is told now.
      takeOut(machine, entry.seq);
      throw error;
    }
    keepWaiting(machine, entry.seq);
    dropEarlier(remote, call, entry.seq);
    return meanwhile(remote, call, { seq: entry.seq, away: error });
  }
}

/** Asked for twice while the server is away, a landing is asked for once, of what the stream holds last. */
function dropEarlier({ machine }: Remote, { endpoint, input, actorId }: CallOf, seq: number): void {
  if (endpoint.name !== requestMerge.name || input.force === true) return;
  for (const each of listOutbox(machine)) {
    const isSame =
      each.operation === endpoint.name && each.actorId === actorId && each.input.stream === input.stream;
    if (isSame && each.seq < seq && each.state === 'waiting' && each.input.force !== true)
      takeOut(machine, each.seq);
  }
}

function meanwhile(
  remote: Remote,
  call: CallOf,
  { seq, away }: { seq: number; away: AuthorityAway },
): Stream {
  const { machine, clock } = remote;
  const { name } = call.endpoint;
  const ref = call.input.stream;
  const stream = typeof ref === 'string' ? recallStream(machine, ref) : undefined;
  const actor = { id: call.actorId, name: nameOf(remote, call.actorId) };
  const answer = answerMeanwhile(call.endpoint, call.input, { actor, stream, now: clock.now() });
  if (answer) {
    rememberStream(remote, answer);
    rememberCommits(remote, call.input, answer.id);
    remote.onKept();
    return answer;
  }
  throw new AuthorityAway(`${away.message} What was asked for (${name}) is kept as ${seq} in the outbox.`, {
    cause: away,
    fix: 'gitswarm sync, when it is back',
    kept: { seq, operation: name },
  });
}

function nameOf({ machine, connection }: Remote, agentId: string): string {
  if (agentId === connection.agentId) return connection.agentName;
  const known = recall(machine, { endpoint: showAgent, input: { agent: agentId } })?.answer;
  return known ? showAgent.output.parse(known).name : agentId;
}

/** One request and its answer, checked: the server is another machine. */
async function send(remote: Remote, { endpoint, input, actorId }: CallOf, key?: string): Promise<unknown> {
  const { link, connection, machine, clock } = remote;
  const told = await link.ask({
    ...requestOf(endpoint, input),
    repoId: connection.repoId,
    ...(actorId === connection.agentId ? {} : { agentId: actorId }),
    key,
  });
  const result = endpoint.output.safeParse(answerOf(endpoint, told));
  if (!result.success)
    throw new SwarmError(
      'invalid',
      `The server answers ${endpoint.name} in words this program does not know.`,
      {
        fix: 'Install the same version of gitswarm here and at the server.',
        cause: result.error,
      },
    );
  const answer = result.data;
  const at = isoTime(clock.now());
  if (isRemembered(endpoint)) remember(machine, { endpoint, input, answer, at });
  else rememberIn(remote, { input, answer });
  return answer;
}

/** A write answers the stream, or the task, as it is now; while the server is away that is what is known of it. */
function rememberIn(
  remote: Remote,
  { input, answer }: { input: Record<string, unknown>; answer: unknown },
): void {
  const whole = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  for (const each of [whole, whole.task]) {
    const task = showTask.output.safeParse(each);
    if (task.success)
      rememberAs(remote, { endpoint: showTask, input: { task: task.data.id }, answer: task.data });
  }
  for (const each of [whole, whole.stream]) {
    const found = showStream.output.safeParse(each);
    if (!found.success) continue;
    rememberStream(remote, found.data);
    rememberCommits(remote, input, found.data.id);
  }
}

/** What was measured of a stream, its commits among it, is told with the call. */
function rememberCommits(remote: Remote, input: Record<string, unknown>, id: string): void {
  const facts = Facts.safeParse(input.facts);
  if (!facts.success) return;
  const answer = { items: facts.data.commits };
  rememberAs(remote, { endpoint: listStreamCommits, input: { stream: id }, answer });
}

function rememberStream(remote: Remote, stream: Stream): void {
  rememberAs(remote, { endpoint: showStream, input: { stream: stream.id }, answer: stream });
}

function rememberAs(
  { machine, clock }: Remote,
  asked: { endpoint: Pick<Endpoint, 'name'>; input: unknown; answer: unknown },
): void {
  remember(machine, { ...asked, at: isoTime(clock.now()) });
}

function entryOf(
  { clock }: Remote,
  { endpoint, input, actorId }: CallOf,
  state: 'sending' | 'waiting',
): Parameters<typeof putIntoOutbox>[1] {
  return { operation: endpoint.name, actorId, input, state, at: isoTime(clock.now()) };
}
