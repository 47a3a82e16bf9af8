import { allPages } from '../base/all-pages.ts';
import type { Endpoint, InputOf } from '../contract/endpoint.ts';
import {
  createStream,
  listStreamCommits,
  listStreams,
  recordHead,
  type Stream,
  submitStream,
} from '../contract/streams.ts';
import { createTask, listTasks, type Task, updateTask } from '../contract/tasks.ts';
import { isReservedLabel } from '../domain/tasks/task-labels.ts';
import type { NewEntry } from '../machine/outbox.ts';
import type { Authority } from '../operations/authority.ts';

/** What goes to the server when it begins to decide for a repository that has decided for itself. */
export interface CarriedOver {
  entries: NewEntry[];
  tasks: number;
  streams: Stream[];
}

interface Given {
  repoId: string;
  /** The id at the server of whoever an agent is here. */
  agentAt(agentId: string): string;
  at: string;
}

/**
 * Open work, as calls for the outbox: tasks, then streams with what their branches hold, parents first. Ids stay. Keys
 * follow from them, so that a second try makes nothing twice. What was decided here (verdicts, landings, karma, claims
 * without work) stays in the database beside the clone: nobody at the server can check who decided it.
 */
export async function carryOver(local: Authority, given: Given): Promise<CarriedOver> {
  const tasks = await openTasks(local, given.repoId);
  const streams = await openStreams(local, given.repoId);
  const entries = tasks.flatMap((task) =>
    taskEntries(task, { ...given, among: new Set(tasks.map(({ id }) => id)) }),
  );
  const open = { tasks: new Set(tasks.map(({ id }) => id)), streams: new Set(streams.map(({ id }) => id)) };
  for (const stream of streams) {
    const { items } = await local.call(listStreamCommits, { stream: stream.id });
    entries.push(...streamEntries(stream, { ...given, open, commits: items }));
  }
  return { entries, tasks: tasks.length, streams };
}

async function openTasks(local: Authority, repoId: string): Promise<Task[]> {
  const found = await allPages((cursor) => local.call(listTasks, { repoId, limit: 200, cursor }));
  return found
    .filter((task) => task.status === 'open' || task.status === 'claimed' || task.status === 'submitted')
    .sort(byAge);
}

async function openStreams(local: Authority, repoId: string): Promise<Stream[]> {
  const found = await allPages((cursor) =>
    local.call(listStreams, { repoId, open: true, limit: 200, cursor }),
  );
  return parentsFirst(found.sort(byAge));
}

function byAge(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

/** A stream may have been given a younger parent. */
function parentsFirst(streams: readonly Stream[]): Stream[] {
  const ordered: Stream[] = [];
  const add = (stream: Stream) => {
    if (ordered.includes(stream)) return;
    const parent = streams.find((each) => each.id === stream.parentStreamId);
    if (parent) add(parent);
    ordered.push(stream);
  };
  for (const stream of streams) add(stream);
  return ordered;
}

/** Amounts are not carried over: what is set aside for them is in the ledger here. Nor are labels that the server gives. */
function taskEntries(task: Task, given: Given & { among: ReadonlySet<string> }): NewEntry[] {
  const { id, title, description, priority, labels, paths, acceptance, difficulty, expiresAt } = task;
  const isOver = expiresAt !== null && expiresAt <= given.at;
  const own = labels.filter((label) => !isReservedLabel(label));
  const rest = {
    description,
    priority,
    labels: own,
    paths,
    acceptance,
    expiresAt: isOver ? null : expiresAt,
  };
  const input = { repoId: given.repoId, id, title, ...rest, ...(difficulty === null ? {} : { difficulty }) };
  const actorId = given.agentAt(task.createdBy);
  const dependsOn = task.dependsOn.filter((each) => given.among.has(each));
  return [
    entry(createTask, input, { actorId, at: given.at, key: `carried-over-task-${id}` }),
    ...(dependsOn.length > 0
      ? [
          entry(
            updateTask,
            { task: id, dependsOn },
            { actorId, at: given.at, key: `carried-over-order-${id}` },
          ),
        ]
      : []),
  ];
}

function streamEntries(
  stream: Stream,
  given: Given & {
    open: { tasks: ReadonlySet<string>; streams: ReadonlySet<string> };
    commits: InputOf<typeof recordHead>['facts']['commits'];
  },
): NewEntry[] {
  const { id, name, branch, taskId, parentStreamId, baseBranch, baseCommit, head, patchId, paths, source } =
    stream;
  const actorId = given.agentAt(stream.authorId);
  const as = (what: string) => ({ actorId, at: given.at, key: `carried-over-${what}-${id}` });
  const known = {
    ...(taskId !== null && given.open.tasks.has(taskId) ? { task: taskId } : {}),
    ...(parentStreamId !== null && given.open.streams.has(parentStreamId) ? { parent: parentStreamId } : {}),
  };
  const place = { repoId: given.repoId, id, name, branch, baseBranch, baseCommit, source };
  const facts = { head, base: baseCommit, patchId, paths, commits: given.commits };
  const isAsked = ['in_review', 'approved', 'queued', 'changes_requested'].includes(stream.state);
  return [
    entry(createStream, { ...place, ...known }, as('stream')),
    ...(head === baseCommit
      ? []
      : [entry(recordHead, { stream: id, facts, cause: 'commit' as const }, as('head'))]),
    ...(isAsked && given.commits.length > 0
      ? [entry(submitStream, { stream: id, facts }, as('review'))]
      : []),
  ];
}

function entry<E extends Endpoint>(
  endpoint: E,
  input: InputOf<E>,
  more: { actorId: string; at: string; key: string },
): NewEntry {
  return { operation: endpoint.name, input: endpoint.input.parse(input), state: 'waiting', ...more };
}
