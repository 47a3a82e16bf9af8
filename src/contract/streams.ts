import * as z from 'zod';
import { BranchName, Id, line, Oid, PageInput, page, prose, Ref, RepoPath, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** The one stored state of a stream. */
export const StreamState = z.enum([
  'active',
  'in_review',
  'changes_requested',
  'approved',
  'queued',
  'conflicted',
  'paused',
  'merged',
  'abandoned',
]);
export type StreamState = z.infer<typeof StreamState>;

/** The pair in which the state is also given to callers that know the older words. */
export const StreamStatus = z.enum(['active', 'in_review', 'merged', 'abandoned']);
export const ReviewStatus = z.enum(['in_review', 'approved', 'changes_requested']);

export const StreamCommit = z.object({
  commit: Oid,
  changeId: z.string(),
  message: z.string(),
  author: z.string(),
  patchId: z.string(),
});
export type StreamCommit = z.infer<typeof StreamCommit>;

/**
 * What git says of a stream at the moment an operation is asked for; measured by the workflow just before.
 * `patchId` identifies the whole change against `base` and survives a pure rebase; `paths` are all touched paths.
 */
export const Facts = z.object({
  head: Oid,
  base: Oid,
  patchId: z.string().max(100),
  paths: z.array(z.string().max(4096)).max(100_000),
  commits: z.array(StreamCommit).max(10_000),
});
export type Facts = z.infer<typeof Facts>;

export const ConflictFile = z.object({ path: z.string(), kind: z.string() });
export type ConflictFile = z.infer<typeof ConflictFile>;

/** What a stream conflicted with: the head that should have come in, and the files that clash. */
export const StreamConflict = z.object({
  with: z.enum(['buffer', 'parent', 'stream']),
  onto: Oid,
  files: z.array(ConflictFile),
  at: Time,
});
export type StreamConflict = z.infer<typeof StreamConflict>;

export const Stream = z.object({
  id: Id,
  handle: z.string(),
  repoId: Id,
  name: z.string(),
  branch: z.string(),
  authorId: Id,
  authorName: z.string(),
  coAuthorIds: z.array(Id),
  state: StreamState,
  status: StreamStatus,
  reviewStatus: ReviewStatus.nullable(),
  stateReason: z.string().nullable(),
  conflict: StreamConflict.nullable(),
  source: z.enum(['cli', 'api', 'forge', 'tracked']),
  taskId: Id.nullable(),
  parentStreamId: Id.nullable(),
  revertOfStreamId: Id.nullable(),
  baseBranch: z.string(),
  baseCommit: Oid,
  head: Oid,
  patchId: z.string(),
  paths: z.array(z.string()),
  commitCount: z.number().int(),
  mergedCommit: Oid.nullable(),
  createdAt: Time,
  updatedAt: Time,
});
export type Stream = z.infer<typeof Stream>;

/** The workflow chooses the id, because the branch is named after it before the row exists. */
export const createStream = endpoint('stream.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/streams',
  input: z.object({
    repoId: Id,
    id: Id.optional(),
    name: line(255).optional(),
    branch: BranchName.optional(),
    task: Ref.optional(),
    parent: Ref.optional(),
    revertOf: Ref.optional(),
    baseBranch: BranchName,
    baseCommit: Oid,
    head: Oid.optional(),
    source: z.enum(['cli', 'api', 'forge', 'tracked']).default('cli'),
    paths: z.array(RepoPath).max(200).default([]),
  }),
  output: Stream,
}));

export const listStreams = endpoint('stream.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/streams',
  input: z.object({
    repoId: Id,
    ...PageInput,
    state: StreamState.optional(),
    status: StreamStatus.optional(),
    author: Ref.optional(),
    parent: Ref.optional(),
    /** Everything that is neither merged nor abandoned. */
    open: z.boolean().optional(),
  }),
  output: page(Stream),
}));

export const showStream = endpoint('stream.show', () => ({
  method: 'GET',
  path: '/streams/:stream',
  input: z.object({ stream: Ref }),
  output: Stream,
}));

export const listStreamCommits = endpoint('stream.commits', () => ({
  method: 'GET',
  path: '/streams/:stream/commits',
  input: z.object({ stream: Ref }),
  output: z.object({ items: z.array(StreamCommit) }),
}));

/**
 * Records what the branch holds now. `cause` says why it changed: the author's commit, commits made with plain git,
 * a rewrite by the author, a rebase by GitSwarm, or a resolved conflict. Only an author commits; a maintainer may also
 * resolve; the rest is what whoever looks first finds in git.
 */
export const recordHead = endpoint('stream.record_head', () => ({
  method: 'POST',
  path: '/streams/:stream/head',
  input: z.object({
    stream: Ref,
    facts: Facts,
    cause: z.enum(['commit', 'adopted', 'rewritten', 'rebased', 'resolved']),
    /** The head the caller believed was recorded; another one is refused as stale. */
    expectHead: Oid.optional(),
    /** After a rebase onto the buffer a stream has no parent any more; a fix stream adopts children. */
    parent: Ref.nullable().optional(),
  }),
  output: Stream,
  internal: 'clone',
}));

export const submitStream = endpoint('stream.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/submit',
  input: z.object({ stream: Ref, note: prose(2000).optional(), facts: Facts }),
  output: Stream,
}));

/** A merge or a cascade met a conflict; the stream keeps its work and waits for its author. */
export const markConflicted = endpoint('stream.mark_conflicted', () => ({
  method: 'POST',
  path: '/streams/:stream/conflicted',
  input: z.object({
    stream: Ref,
    with: z.enum(['buffer', 'parent', 'stream']),
    onto: Oid,
    files: z.array(ConflictFile).max(10_000),
  }),
  output: Stream,
  internal: 'clone',
}));

export const pauseStream = endpoint('stream.pause', () => ({
  method: 'POST',
  path: '/streams/:stream/pause',
  input: z.object({ stream: Ref, reason: line(500).optional() }),
  output: Stream,
}));

export const resumeStream = endpoint('stream.resume', () => ({
  method: 'POST',
  path: '/streams/:stream/resume',
  input: z.object({ stream: Ref }),
  output: Stream,
}));

export const abandonStream = endpoint('stream.abandon', () => ({
  method: 'DELETE',
  path: '/streams/:stream',
  input: z.object({ stream: Ref, cascade: z.boolean().default(false), reason: line(500).optional() }),
  output: z.object({ stream: Stream, alsoAbandoned: z.array(Stream), paused: z.array(Stream) }),
}));

/** Takes an abandonment back; the state is the one before it. */
export const reopenStream = endpoint('stream.reopen', () => ({
  method: 'POST',
  path: '/streams/:stream/reopen',
  input: z.object({ stream: Ref }),
  output: Stream,
}));

/** In swarm mode: every commit has landed and the author is done. */
export const finishStream = endpoint('stream.finish', () => ({
  method: 'POST',
  path: '/streams/:stream/finish',
  input: z.object({ stream: Ref, facts: Facts, note: prose(2000).optional() }),
  output: Stream,
}));

export const addStreamAuthor = endpoint('stream.add_author', () => ({
  method: 'POST',
  path: '/streams/:stream/authors',
  input: z.object({ stream: Ref, agent: Ref }),
  output: Stream,
}));
