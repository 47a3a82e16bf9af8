import * as z from 'zod';
import { Id, line, Oid, prose, Ref } from './common.ts';
import { endpoint } from './endpoint.ts';
import { HostedRepo, RepoWish } from './hosting.ts';
import { Repo } from './repos.ts';
import { Promotion, Stabilization } from './stabilizations.ts';
import { Stream } from './streams.ts';
import { Task } from './tasks.ts';
import { UndoRecord } from './undo.ts';

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
  input: z.object({
    repoId: Id,
    changes: z.record(z.string(), z.unknown()),
    /** Counts where the clone is with the clients: nobody else can have written the file. */
    fileWritten: z.boolean().default(false),
  }),
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

/**
 * Where the clone is with the clients: the text of `.gitswarm/config.yml` in the tree of the buffer's tip, or null where
 * there is none. It is in force from then on. The server cannot look itself, so it takes a maintainer's word only.
 */
export const reportConfigFile = endpoint('repo.report_file', () => ({
  method: 'PUT',
  path: '/repos/:repoId/config/file',
  input: z.object({
    repoId: Id,
    text: z
      .string()
      .max(256 * 1024)
      .nullable(),
  }),
  output: Repo,
}));

/** Approves the exact text of the commands in force, so that the server runs them. */
export const trustCommands = endpoint('repo.trust', () => ({
  method: 'POST',
  path: '/repos/:repoId/trust',
  input: z.object({ repoId: Id }),
  output: z.object({ approved: z.array(z.object({ setting: z.string(), text: z.string() })) }),
}));

/** What was undone, in git as well where the clone is at the server. */
export const takeBack = endpoint('undo.run', () => ({
  method: 'POST',
  path: '/repos/:repoId/undo',
  input: z.object({ repoId: Id, record: Ref.optional() }),
  output: UndoRecord,
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
    completes: Id.nullable().default(null),
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
    /** Left out, it is what the caller's rights make of it. */
    triggeredBy: Promotion.shape.triggeredBy.optional(),
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
