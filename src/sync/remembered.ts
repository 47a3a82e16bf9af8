import type * as z from 'zod';
import { sha256 } from '../base/digest.ts';
import { listAgents, showAgent } from '../contract/agents.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { listStreams, type Stream, showStream } from '../contract/streams.ts';
import { listTasks, showTask } from '../contract/tasks.ts';
import type { Machine } from '../machine/machine.ts';
import { findRememberedAnswer, listAnswersSince, rememberAnswers } from '../machine/remembered-answers.ts';

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
  const one = ONE_OF.get(asked.endpoint.name);
  return one ? { ...known, answer: withNewer(machine, known, { one, filter: asked.input }) } : known;
}

/** What the items of a list are. */
const ONE_OF = new Map<string, z.ZodType>([
  [listStreams.name, showStream.output],
  [listTasks.name, showTask.output],
]);

type Item = { id: string; repoId: string; state?: string; status: string };

/** Filters that can be told here of an item that was not in the list. */
const TELLABLE: ReadonlySet<string> = new Set(['repoId', 'limit', 'open', 'state', 'status']);

/**
 * What was learnt since a list was told, of what is in it and of what is not: an older head would be recorded a second
 * time, and what was made here would be missing. It comes last, as what is newest does.
 */
function withNewer(
  machine: Machine,
  { answer, askedAt }: { answer: unknown; askedAt: string },
  { one, filter }: { one: z.ZodType; filter: unknown },
): unknown {
  const told = answer as { items: Item[] };
  const items = new Map(told.items.map((item) => [item.id, item]));
  const named = Object.entries(filter as object).filter(([, value]) => value !== undefined);
  const canAdd = named.every(([name]) => TELLABLE.has(name));
  for (const each of listAnswersSince(machine, askedAt)) {
    const found = one.safeParse(each);
    if (!found.success) continue;
    const item = found.data as Item;
    if (items.has(item.id)) items.set(item.id, item);
    else if (canAdd && belongs(item, Object.fromEntries(named))) items.set(item.id, item);
  }
  return { ...told, items: [...items.values()] };
}

function belongs(item: Item, { repoId, open, state, status }: Record<string, unknown>): boolean {
  if (item.repoId !== repoId) return false;
  if (open === true && (item.state === 'merged' || item.state === 'abandoned')) return false;
  return (state === undefined || item.state === state) && (status === undefined || item.status === status);
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
