import { sha256 } from '../base/digest.ts';
import { listAgents, showAgent } from '../contract/agents.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { listStreams, type Stream, showStream } from '../contract/streams.ts';
import { listTasks, showTask } from '../contract/tasks.ts';
import type { Machine } from '../machine/machine.ts';
import { findRememberedAnswer, rememberAnswers } from '../machine/remembered-answers.ts';

/**
 * Questions whose last answer helps while the server is away: what things are. Never whether something may be done, and
 * nothing that depends on who asks: consensus, the queue and rights are the server's to tell.
 */
const REMEMBERED: ReadonlySet<string> = new Set([
  'repo.show',
  'agent.show',
  'agent.list',
  'maintainer.list',
  'stream.show',
  'stream.list',
  'stream.commits',
  'task.show',
  'task.list',
  // An owner may force a landing while the server is away; who one is, is what the server said last.
  'access.explain',
  'status.show',
]);

export function isRemembered({ name }: Pick<Endpoint, 'name'>): boolean {
  return REMEMBERED.has(name);
}

/** Keeps an answer of the server, under whatever its subject may be asked for by. */
export function remember(
  machine: Machine,
  asked: { endpoint: Pick<Endpoint, 'name'>; input: unknown; answer: unknown; at: string },
): void {
  const { endpoint, input, answer, at } = asked;
  const shown = SHOWN.get(endpoint.name)?.(answer) ?? [];
  try {
    const answers = [{ questions: [question(endpoint.name, input)], answer }, ...underNames(machine, shown)];
    rememberAnswers(machine, answers, at);
  } catch (error) {
    // A disk that cannot be written is no reason not to answer.
    if (!isSwarmError(error, 'read_only')) throw error;
  }
}

export function recall(
  machine: Machine,
  asked: { endpoint: Pick<Endpoint, 'name'>; input: unknown },
): { answer: unknown; askedAt: string } | undefined {
  const known = findRememberedAnswer(machine, question(asked.endpoint.name, asked.input));
  if (!known || known.answer === SEVERAL) return undefined;
  if (asked.endpoint.name !== listStreams.name) return known;
  return { ...known, answer: withNewer(machine, known) };
}

/** What was done here since a list was told stands with each stream: an older head would be recorded a second time. */
function withNewer(machine: Machine, { answer, askedAt }: { answer: unknown; askedAt: string }): unknown {
  const items = (answer as { items: Stream[] }).items.map((stream) => {
    const alone = findRememberedAnswer(machine, question(showStream.name, { stream: stream.id }));
    return alone && alone.askedAt > askedAt ? (alone.answer as Stream) : stream;
  });
  return { ...(answer as object), items };
}

/** Something that an answer holds, and the question that shows it. */
interface Shown {
  by: Pick<Endpoint, 'name'>;
  /** What that question calls it. */
  as: string;
  what: unknown;
}

/** What is asked for by id may be asked for by handle or name as well, and what stands in a list alone. */
const SHOWN = new Map<string, (answer: unknown) => Shown[]>([
  [showStream.name, (answer) => [{ by: showStream, as: 'stream', what: answer }]],
  [showAgent.name, (answer) => [{ by: showAgent, as: 'agent', what: answer }]],
  [showTask.name, (answer) => [{ by: showTask, as: 'task', what: answer }]],
  [listStreams.name, (answer) => itemsOf(answer).map((what) => ({ by: showStream, as: 'stream', what }))],
  [listAgents.name, (answer) => itemsOf(answer).map((what) => ({ by: showAgent, as: 'agent', what }))],
  [listTasks.name, (answer) => itemsOf(answer).map((what) => ({ by: showTask, as: 'task', what }))],
]);

/** What a name stands for that several things have: nobody can say which of them is meant. */
const SEVERAL = null;

/** Each thing under its id, its handle and its name. Streams may have the same name as others. */
function underNames(machine: Machine, shown: readonly Shown[]): { questions: string[]; answer: unknown }[] {
  const named = new Map<string, unknown>();
  for (const { by, as, what } of shown) {
    const { id, handle, name } = what as { id: string; handle: string; name?: string };
    const asked = (ref: string) => question(by.name, { [as]: ref });
    if (name !== undefined) {
      const known = named.has(asked(name))
        ? named.get(asked(name))
        : findRememberedAnswer(machine, asked(name))?.answer;
      const isOther = by.name === showStream.name && known !== undefined && idOf(known) !== id;
      named.set(asked(name), isOther ? SEVERAL : what);
    }
    for (const ref of [id, handle]) named.set(asked(ref), what);
  }
  return [...named].map(([each, answer]) => ({ questions: [each], answer }));
}

function idOf(answer: unknown): string | undefined {
  return (answer as { id: string } | null)?.id;
}

function itemsOf(answer: unknown): unknown[] {
  return (answer as { items: unknown[] }).items;
}

/** A stream that was shown or answered by a write, for work that goes on without the server. */
export function recallStream(machine: Machine, ref: string): Stream | undefined {
  return recall(machine, { endpoint: showStream, input: { stream: ref } })?.answer as Stream | undefined;
}

function question(name: string, input: unknown): string {
  const entries = Object.entries(input as object).filter(([, value]) => value !== undefined);
  return sha256(`${name}\n${JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))}`);
}
