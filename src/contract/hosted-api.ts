import * as z from 'zod';
import { BranchName, Id, line, Oid, PageInput, Priority, page, prose, Ref } from './common.ts';
import { endpoint } from './endpoint.ts';
import { HostedRepo, RepoWish } from './hosting.ts';
import { Merge } from './merges.ts';
import { Repo } from './repos.ts';
import { Consensus, Review, Verdict } from './reviews.ts';
import { Promotion, Stabilization } from './stabilizations.ts';
import { ConflictFile, createStream, Facts, Stream } from './streams.ts';
import { Task } from './tasks.ts';
import { UndoRecord } from './undo.ts';

/**
 * What callers over the network ask for where the server may have the clone: it measures then itself what workflows
 * otherwise measure. Where the clone is with the clients, `head` and `facts` are their word.
 */

const Known = { head: Oid.optional(), facts: Facts.optional() };
export type ClientFacts = Facts | undefined;

const Encoding = z.enum(['utf8', 'base64']);
export const FileMode = z.enum(['100644', '100755']);
const Cascade = z.object({
  rebased: z.array(Id),
  deferred: z.array(Id),
  conflicted: z.array(z.object({ streamId: Id, files: z.array(ConflictFile) })),
});

/** Where a clone URL is given the server clones it; without one it begins an empty repository. */
export const makeRepo = endpoint('repo.create', () => ({
  method: 'POST',
  path: '/repos',
  input: RepoWish.extend({
    cloneUrl: z.string().max(2000).nullable().default(null),
    config: z.record(z.string(), z.unknown()).default({}),
  }),
  output: HostedRepo,
}));

export const changeSettings = endpoint('repo.set_config', () => ({
  method: 'PATCH',
  path: '/repos/:repoId/config',
  input: z.object({ repoId: Id, changes: z.record(z.string(), z.unknown()) }),
  output: Repo,
}));

/** The settings by their names, in either case. */
export const updateRepo = endpoint('repo.update', () => ({
  method: 'PATCH',
  path: '/repos/:repoId',
  input: z.looseObject({ repoId: Id }),
  output: Repo,
}));

export const showSettings = endpoint('repo.config', () => ({
  method: 'GET',
  path: '/repos/:repoId/config',
  input: z.object({ repoId: Id }),
  output: Repo.pick({ config: true, configSource: true, configBlob: true, settings: true }),
}));

/** Approves the exact text of the commands in force, so that the server runs them. */
export const trustCommands = endpoint('repo.trust', () => ({
  method: 'POST',
  path: '/repos/:repoId/trust',
  input: z.object({ repoId: Id }),
  output: z.object({ approved: z.array(z.object({ setting: z.string(), text: z.string() })) }),
}));

export const openStream = endpoint('stream.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/streams',
  // Where the clone is the server's, branch and base are the server's to choose.
  input: createStream.input.extend({
    baseBranch: BranchName.optional(),
    baseCommit: Oid.optional(),
    source: createStream.input.shape.source.unwrap().default('api'),
  }),
  output: Stream,
}));

/** 001's words for what becomes of a stream: `merged` records a landing that the client has made. */
export const updateStream = endpoint('stream.update', () => ({
  method: 'PATCH',
  path: '/streams/:stream',
  input: z.object({
    stream: Ref,
    status: z.enum(['merged', 'abandoned', 'paused', 'active']),
    mergeCommit: Oid.optional(),
    bufferBefore: Oid.optional(),
    reason: line(500).optional(),
  }),
  output: Stream,
}));

export const commitOnStream = endpoint('stream.commit', () => ({
  method: 'POST',
  path: '/streams/:stream/commits',
  input: z.object({
    stream: Ref,
    message: prose(10_000).refine((text) => text.trim() !== '', 'must not be empty'),
    commit: Oid.optional(),
    changeId: line(100).optional(),
    facts: Facts.optional(),
  }),
  output: z.object({
    commit: Oid.nullable(),
    changeId: z.string().nullable(),
    stream: Stream,
    files: z.array(z.string()),
    merged: z.boolean(),
    conflict: z.array(ConflictFile).nullable(),
    cascade: Cascade.nullable(),
  }),
}));

export const askForReview = endpoint('stream.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/submit',
  input: z.object({ stream: Ref, note: prose(2000).optional(), ...Known }),
  output: Stream,
}));

export const sayFinished = endpoint('stream.finish', () => ({
  method: 'POST',
  path: '/streams/:stream/finish',
  input: z.object({ stream: Ref, note: prose(2000).optional(), ...Known }),
  output: Stream,
}));

/** What was undone, in git as well where the clone is at the server. */
export const takeBack = endpoint('undo.run', () => ({
  method: 'POST',
  path: '/repos/:repoId/undo',
  input: z.object({ repoId: Id, record: Ref.optional() }),
  output: UndoRecord,
}));

export const judge = endpoint('review.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/reviews',
  input: z.object({
    stream: Ref,
    verdict: Verdict,
    feedback: prose(50_000).default(''),
    tested: z.boolean().default(false),
    ...Known,
  }),
  output: z.object({ review: Review, stream: Stream, consensus: Consensus }),
}));

/** At a server's clone it lands; elsewhere the answer is the permit to land exactly this head. */
export const askForMerge = endpoint('merge.request', () => ({
  method: 'POST',
  path: '/streams/:stream/merge',
  input: z.object({
    stream: Ref,
    force: z.boolean().default(false),
    reason: line(500).optional(),
    priority: Priority.optional(),
    wait: z.boolean().default(true),
    ...Known,
  }),
  output: z.object({
    approved: z.literal(true),
    merged: z.boolean(),
    commit: Oid.nullable(),
    bufferBranch: z.string(),
    position: z.number().int().nullable(),
    waitsFor: z.string().nullable(),
    merge: Merge.nullable(),
    stream: Stream,
  }),
}));

export const showDiff = endpoint('stream.diff', () => ({
  method: 'GET',
  path: '/streams/:stream/diff',
  input: z.object({ stream: Ref, against: Ref.optional() }),
  output: z.object({
    streamId: Id,
    base: z.string(),
    head: Oid,
    files: z.number().int(),
    insertions: z.number().int(),
    deletions: z.number().int(),
    perFile: z.array(
      z.object({ path: z.string(), insertions: z.number().nullable(), deletions: z.number().nullable() }),
    ),
  }),
}));

export const showFullDiff = endpoint('stream.diff_full', () => ({
  method: 'GET',
  path: '/streams/:stream/diff/full',
  input: z.object({ stream: Ref, against: Ref.optional() }),
  output: z.object({ streamId: Id, base: z.string(), head: Oid, diff: z.string() }),
}));

export const listFiles = endpoint('stream.tree', () => ({
  method: 'GET',
  path: '/streams/:stream/tree',
  input: z.object({ stream: Ref, ...PageInput }),
  output: page(z.object({ path: z.string(), mode: z.string(), oid: Oid })),
}));

const Side = z.object({ oid: Oid, mode: z.string(), content: z.string(), encoding: Encoding }).nullable();
export const ConflictedFile = z.object({
  path: z.string(),
  kind: z.string(),
  base: Side,
  ours: Side,
  theirs: Side,
  markers: z.string().nullable(),
});

export const showConflicts = endpoint('stream.conflicts', () => ({
  method: 'GET',
  path: '/streams/:stream/conflicts',
  input: z.object({ stream: Ref }),
  output: z.object({ onto: Oid, head: Oid, files: z.array(ConflictedFile) }),
}));

/** `ours` is the stream, `theirs` what it takes in. */
export const resolveConflicts = endpoint('stream.resolve', () => ({
  method: 'POST',
  path: '/streams/:stream/resolve',
  input: z.object({
    stream: Ref,
    files: z
      .record(
        z.string().max(4096),
        z.union([
          z.object({ content: z.string(), encoding: Encoding.default('utf8'), mode: FileMode.optional() }),
          z.object({ take: z.enum(['ours', 'theirs', 'delete']) }),
        ]),
      )
      .default({}),
    strategy: z.enum(['ours', 'theirs']).optional(),
  }),
  output: z.object({ commit: Oid, stream: Stream, cascade: Cascade }),
}));

export const runQueue = endpoint('queue.run', () => ({
  method: 'POST',
  path: '/repos/:repoId/queue/run',
  input: z.object({ repoId: Id }),
  output: z.object({
    landed: z.number().int(),
    conflicted: z.number().int(),
    evicted: z.number().int(),
    refused: z.number().int(),
    waiting: z.number().int(),
  }),
}));

export const revertMerge = endpoint('merge.revert', () => ({
  method: 'POST',
  path: '/repos/:repoId/merges/:merge/revert',
  input: z.object({ repoId: Id, merge: Ref, reason: line(500).optional() }),
  output: z.object({ commit: Oid, stream: Stream, reopenedTask: Task.nullable() }),
}));

/** At a server's clone the command runs; elsewhere the result is recorded. */
export const stabilizeRepo = endpoint('stabilization.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/stabilize',
  input: z.object({
    repoId: Id,
    result: z.enum(['green', 'red', 'error']).optional(),
    commit: Oid.optional(),
    tag: z.string().max(255).nullable().default(null),
    culpritMerge: Ref.nullable().default(null),
    revertMerge: Ref.nullable().default(null),
    durationMs: z.number().int().min(0).default(0),
    runs: z.number().int().min(0).default(1),
    details: z.union([prose(100_000), z.record(z.string(), z.unknown())]).default(''),
  }),
  output: z.object({
    result: z.enum(['green', 'red', 'error']),
    commit: Oid,
    tag: z.string().nullable(),
    stabilization: Stabilization.nullable(),
    task: Task.nullable(),
    promote: z.boolean(),
    promoted: z.boolean(),
    reason: z.string().nullable(),
    output: z.string(),
  }),
}));

/** At a server's clone the target moves; elsewhere its move is recorded. */
export const promoteRepo = endpoint('promotion.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/promote',
  input: z.object({
    repoId: Id,
    from: z.string().max(255).optional(),
    to: z.string().max(255).optional(),
    commit: Oid.optional(),
    fromCommit: Oid.nullable().default(null),
    toCommit: Oid.optional(),
    tag: z.string().max(255).optional(),
    untested: z.boolean().default(false),
  }),
  output: z.object({
    promoted: z.boolean(),
    from: z.string(),
    to: z.string(),
    fromCommit: Oid.nullable(),
    toCommit: Oid,
    untested: z.boolean(),
    promotion: Promotion.nullable(),
  }),
}));
