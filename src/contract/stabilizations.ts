import * as z from 'zod';
import { Id, Oid, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Task } from './tasks.ts';

/** A test of the buffer. `error` means nobody is to blame: the command could not run, or the baseline was red. */
export const Stabilization = z.object({
  id: Id,
  repoId: Id,
  result: z.enum(['green', 'red', 'error']),
  commit: Oid,
  tag: z.string().nullable(),
  culpritMergeId: Id.nullable(),
  culpritStreamId: Id.nullable(),
  revertMergeId: Id.nullable(),
  taskId: Id.nullable(),
  durationMs: z.number().int(),
  runs: z.number().int(),
  details: z.string(),
  actorId: Id,
  stabilizedAt: Time,
});
export type Stabilization = z.infer<typeof Stabilization>;

export const recordStabilization = endpoint('stabilization.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/stabilize',
  input: z.object({
    repoId: Id,
    result: z.enum(['green', 'red', 'error']),
    commit: Oid,
    tag: z.string().max(255).nullable().default(null),
    /** The red result that this one says more about: recorded before it was known who is to blame. */
    completes: Id.nullable().default(null),
    culpritMerge: Ref.nullable().default(null),
    revertMerge: Ref.nullable().default(null),
    durationMs: z.number().int().min(0).default(0),
    runs: z.number().int().min(0).default(1),
    details: prose(100_000).default(''),
  }),
  output: z.object({
    stabilization: Stabilization,
    /** A red result with a culprit opens exactly one critical task for its author. */
    task: Task.nullable(),
    /** Auto-promotion is on and this result allows it. */
    mayPromote: z.boolean(),
  }),
}));

export const listStabilizations = endpoint('stabilization.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/stabilize/history',
  input: z.object({ repoId: Id, ...PageInput, result: z.enum(['green', 'red', 'error']).optional() }),
  output: page(Stabilization),
}));

/** A move of the target. */
export const Promotion = z.object({
  id: Id,
  repoId: Id,
  from: z.string(),
  to: z.string(),
  fromCommit: Oid.nullable(),
  toCommit: Oid,
  untested: z.boolean(),
  triggeredBy: z.enum(['auto', 'manual', 'council']),
  actorId: Id,
  promotedAt: Time,
});
export type Promotion = z.infer<typeof Promotion>;

/** Asked before the target moves: may this actor promote now? Answers nothing but refuses with the reason. */
export const requestPromotion = endpoint('promotion.request', () => ({
  method: 'POST',
  path: '/repos/:repoId/promote/request',
  input: z.object({ repoId: Id, toCommit: Oid, automatic: z.boolean().default(false) }),
  output: z.object({ allowed: z.literal(true) }),
  internal: 'clone',
}));

export const recordPromotion = endpoint('promotion.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/promote',
  input: z.object({
    repoId: Id,
    fromCommit: Oid.nullable(),
    toCommit: Oid,
    untested: z.boolean().default(false),
    triggeredBy: z.enum(['auto', 'manual', 'council']).default('manual'),
  }),
  output: Promotion,
}));

export const listPromotions = endpoint('promotion.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/promote/history',
  input: z.object({ repoId: Id, ...PageInput }),
  output: page(Promotion),
}));

/** A conflict between target and buffer that intake met: one critical task, until it is resolved. */
export const reportIntakeConflict = endpoint('intake.conflicted', () => ({
  method: 'POST',
  path: '/repos/:repoId/intake/conflict',
  input: z.object({ repoId: Id, target: Oid, buffer: Oid, paths: z.array(z.string().max(4096)).max(10_000) }),
  output: Task,
  internal: 'clone',
}));
