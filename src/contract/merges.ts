import * as z from 'zod';
import { Id, line, Oid, PageInput, Priority, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Repo } from './repos.ts';
import { ConflictFile, Facts, Stream } from './streams.ts';
import { Task } from './tasks.ts';

export const MergeState = z.enum([
  'requested',
  'prepared',
  'landed',
  'conflicted',
  'refused',
  'withdrawn',
  'reverted',
]);
export type MergeState = z.infer<typeof MergeState>;

/** stream: a stream's work; intake: what reached the target another way; revert: the undoing of a landing. */
export const MergeKind = z.enum(['stream', 'intake', 'revert']);

/** A landing on the buffer, or the wish for one: the queue is the ordered set of those that are requested. */
export const Merge = z.object({
  id: Id,
  handle: z.string(),
  repoId: Id,
  kind: MergeKind,
  state: MergeState,
  streamId: Id.nullable(),
  revertsMergeId: Id.nullable(),
  requestedBy: Id,
  head: Oid,
  patchId: z.string(),
  priority: Priority,
  /** Within its priority those moved to the front have lower ranks. */
  rank: z.number().int(),
  /** Declared fixes and reverts pass a frozen queue. */
  isFix: z.boolean(),
  forced: z.boolean(),
  reason: z.string().nullable(),
  commit: Oid.nullable(),
  bufferBefore: Oid.nullable(),
  /** Who drives it now; recovery touches it only when that process is dead. */
  holder: z.string().nullable(),
  testedTree: Oid.nullable(),
  position: z.number().int().nullable(),
  requestedAt: Time,
  /** Until when whoever prepared it may be about to land it; later anyone may settle it who has looked at the buffer. */
  permitUntil: Time.nullable(),
  landedAt: Time.nullable(),
});
export type Merge = z.infer<typeof Merge>;

/**
 * Asks for a landing. The gate is asked for exactly the head in `facts`; a stream that is queued already is answered
 * with its standing request. Whoever has to know the landing before it is answered chooses its id.
 */
export const requestMerge = endpoint('merge.request', () => ({
  method: 'POST',
  path: '/streams/:stream/merge',
  input: z.object({
    stream: Ref,
    id: Id.optional(),
    facts: Facts,
    force: z.boolean().default(false),
    reason: line(500).optional(),
    priority: Priority.optional(),
  }),
  output: z.object({ merge: Merge, stream: Stream }),
}));

/** Why the caller may not land a stream as it is recorded now, by the same gate; null where nothing stands in the way. */
export const explainMerge = endpoint('merge.explain', () => ({
  method: 'GET',
  path: '/streams/:stream/merge',
  input: z.object({ stream: Ref }),
  output: z.object({
    refusal: z.object({ code: z.string(), reason: z.string(), fix: z.string().nullable() }).nullable(),
  }),
}));

/** Asks for a landing that no stream stands behind: an intake of the target, or the revert of a landing. */
export const requestPlainMerge = endpoint('merge.request_plain', () => ({
  method: 'POST',
  path: '/repos/:repoId/merges',
  input: z.object({
    repoId: Id,
    kind: z.enum(['intake', 'revert']),
    head: Oid,
    revertsMerge: Ref.optional(),
    reason: line(500).optional(),
    /** The revert is a step of stabilize, not a person's decision. */
    automatic: z.boolean().default(false),
  }),
  output: Merge,
  internal: 'clone',
}));

/** Records the commit that is about to land, before any ref moves. The gate is asked once more. */
export const prepareMerge = endpoint('merge.prepare', () => ({
  method: 'POST',
  path: '/merges/:merge/prepare',
  input: z.object({
    merge: Ref,
    commit: Oid,
    bufferBefore: Oid,
    holder: line(300),
    /** The commit recorded by the previous attempt, when the buffer moved in between. */
    expectCommit: Oid.nullable().default(null),
    testedTree: Oid.nullable().default(null),
  }),
  output: Merge,
  internal: 'clone',
}));

export const landMerge = endpoint('merge.land', () => ({
  method: 'POST',
  path: '/merges/:merge/land',
  input: z.object({
    merge: Ref,
    commit: Oid,
    /** Head of the stream after an author's worktree was brought to the buffer (swarm mode). */
    streamFacts: Facts.optional(),
  }),
  output: z.object({
    merge: Merge,
    stream: Stream.nullable(),
    completedTask: Task.nullable(),
    /** After a revert: the task that was reopened, the children that were paused. */
    reopenedTask: Task.nullable(),
    paused: z.array(Stream),
  }),
  internal: 'clone',
}));

/** Ends an intent that cannot land: a conflict, a lost gate, or a crash; the stream goes back where it belongs. */
export const endMerge = endpoint('merge.end', () => ({
  method: 'POST',
  path: '/merges/:merge/end',
  input: z.object({
    merge: Ref,
    state: z.enum(['conflicted', 'refused', 'withdrawn']),
    reason: prose(5000).optional(),
    files: z.array(ConflictFile).max(10_000).default([]),
    onto: Oid.optional(),
    /** Put the stream back in the queue through the gate (crash recovery). */
    requeue: z.boolean().default(false),
    /**
     * Whoever takes back what it has not prepared itself says which process it knows to be gone; null where it knows of
     * none. The landing of any other is left alone (`busy`) until its permit ends by the server's clock.
     */
    holder: z.string().max(500).nullable().optional(),
    /** Its tests failed: what its author has to know, for a task. */
    eviction: prose(20_000).optional(),
  }),
  output: z.object({ merge: Merge, stream: Stream.nullable() }),
  internal: 'clone',
}));

export const listMerges = endpoint('merge.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/merges',
  input: z.object({
    repoId: Id,
    ...PageInput,
    state: MergeState.optional(),
    kind: MergeKind.optional(),
    stream: Ref.optional(),
  }),
  output: page(Merge),
}));

/** Intents that are requested or prepared, in the order in which they should land. */
export const listQueue = endpoint('queue.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/queue',
  input: z.object({ repoId: Id }),
  output: z.object({
    items: z.array(z.object({ merge: Merge, stream: Stream.nullable(), waitsFor: z.array(z.string()) })),
    paused: z.boolean(),
    frozenReason: z.string().nullable(),
  }),
}));

/**
 * The first that may land now, leaving out those the driver has tried. `goesOn` is false once the landing `until` has
 * left the queue or cannot move: then whoever waits for it need not drive on.
 */
export const nextInQueue = endpoint('queue.next', () => ({
  // What was tried does not fit into an address.
  method: 'POST',
  isRead: true,
  path: '/repos/:repoId/queue/next',
  input: z.object({ repoId: Id, tried: z.array(Id).max(10_000).default([]), until: Id.optional() }),
  output: z.object({
    next: z.object({ merge: Merge, stream: Stream.nullable() }).nullable(),
    goesOn: z.boolean(),
  }),
}));

function queueSwitch(name: string, path: string) {
  return endpoint(name, () => ({
    method: 'POST',
    path,
    input: z.object({ repoId: Id, reason: line(500).optional(), automatic: z.boolean().default(false) }),
    output: Repo,
  }));
}
export const pauseQueue = queueSwitch('queue.pause', '/repos/:repoId/queue/pause');
export const resumeQueue = queueSwitch('queue.resume', '/repos/:repoId/queue/resume');
export const freezeQueue = queueSwitch('queue.freeze', '/repos/:repoId/queue/freeze');
export const unfreezeQueue = queueSwitch('queue.unfreeze', '/repos/:repoId/queue/unfreeze');

export const moveInQueue = endpoint('queue.move', () => ({
  method: 'POST',
  path: '/streams/:stream/queue/move',
  input: z.object({ stream: Ref, priority: Priority.optional(), first: z.boolean().default(false) }),
  output: Merge,
}));

/** Takes a stream out of the queue; it is approved again. */
export const dropFromQueue = endpoint('queue.drop', () => ({
  method: 'POST',
  path: '/streams/:stream/queue/drop',
  input: z.object({ stream: Ref, reason: line(500).optional() }),
  output: z.object({ merge: Merge, stream: Stream }),
}));
