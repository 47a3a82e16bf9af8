import * as z from 'zod';
import { Id, line, PageInput, Priority, page, prose, Ref, RepoPath, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

export const TaskStatus = z.enum(['open', 'claimed', 'submitted', 'completed', 'cancelled']);
export type TaskStatus = z.infer<typeof TaskStatus>;
export const ClaimStatus = z.enum(['active', 'submitted', 'approved', 'rejected', 'abandoned']);

/** An agent's hold on a task, until its lease runs out; activity on the claim's stream renews it. */
export const Claim = z.object({
  id: Id,
  handle: z.string(),
  taskId: Id,
  agentId: Id,
  streamId: Id.nullable(),
  status: ClaimStatus,
  notes: z.string(),
  leaseUntil: Time.nullable(),
  claimedAt: Time,
  submittedAt: Time.nullable(),
  reviewedBy: z.array(Id),
  reviewNotes: z.string(),
  payoutAmount: z.number().int(),
});
export type Claim = z.infer<typeof Claim>;

/** A unit of work that can be claimed; with an amount it is a bounty. */
export const Task = z.object({
  id: Id,
  handle: z.string(),
  repoId: Id,
  title: z.string(),
  description: z.string(),
  status: TaskStatus,
  priority: Priority,
  amount: z.number().int(),
  labels: z.array(z.string()),
  paths: z.array(z.string()),
  acceptance: z.array(z.string()),
  difficulty: z.string().nullable(),
  dependsOn: z.array(Id),
  /** Dependencies that are not met yet: neither landed nor completed. */
  waitsFor: z.array(Id),
  blockedReason: z.string().nullable(),
  /** Open, not blocked, and nothing it waits for. */
  ready: z.boolean(),
  /** A stream this task repairs: its workspace is made as `revertOf` that stream. */
  revertOfStreamId: Id.nullable(),
  claim: Claim.nullable(),
  createdBy: Id,
  expiresAt: Time.nullable(),
  createdAt: Time,
  completedAt: Time.nullable(),
});
export type Task = z.infer<typeof Task>;

export const createTask = endpoint('task.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/tasks',
  input: z.object({
    repoId: Id,
    /** Chosen by whoever made the task while the authority was another, or away. */
    id: Id.optional(),
    title: line(500),
    description: prose(50_000).default(''),
    priority: Priority.default('medium'),
    amount: z.number().int().min(0).max(1_000_000_000).default(0),
    labels: z.array(line(100)).max(50).default([]),
    paths: z.array(RepoPath).max(200).default([]),
    acceptance: z.array(line(1000)).max(50).default([]),
    difficulty: line(50).optional(),
    dependsOn: z.array(Ref).max(100).default([]),
    expiresAt: Time.nullable().default(null),
  }),
  output: Task,
}));

export const updateTask = endpoint('task.update', () => ({
  method: 'PATCH',
  path: '/tasks/:task',
  input: z.object({
    task: Ref,
    title: line(500).optional(),
    description: prose(50_000).optional(),
    priority: Priority.optional(),
    labels: z.array(line(100)).max(50).optional(),
    paths: z.array(RepoPath).max(200).optional(),
    acceptance: z.array(line(1000)).max(50).optional(),
    dependsOn: z.array(Ref).max(100).optional(),
  }),
  output: Task,
}));

export const listTasks = endpoint('task.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/tasks',
  input: z.object({
    repoId: Id,
    ...PageInput,
    status: TaskStatus.optional(),
    ready: z.boolean().optional(),
    label: z.string().optional(),
    claimedBy: Ref.optional(),
  }),
  output: page(Task),
}));

export const showTask = endpoint('task.show', () => ({
  method: 'GET',
  path: '/tasks/:task',
  input: z.object({ task: Ref }),
  output: Task,
}));

const Claimed = z.object({ task: Task, claim: Claim });

export const claimTask = endpoint('task.claim', () => ({
  method: 'POST',
  path: '/tasks/:task/claim',
  input: z.object({
    task: Ref,
    leaseMs: z
      .number()
      .int()
      .min(60_000)
      .max(7 * 86_400_000)
      .optional(),
  }),
  output: Claimed,
}));

/** The most urgent ready task, claimed in the same step when asked; null when there is none. */
export const nextTask = endpoint('task.next', () => ({
  method: 'POST',
  path: '/repos/:repoId/tasks/next',
  input: z.object({
    repoId: Id,
    claim: z.boolean().default(false),
    among: z.array(Ref).max(1000).optional(),
  }),
  output: z.object({ task: Task.nullable(), claim: Claim.nullable() }),
}));

/** Finds the claim by its own reference or by its task's. */
export const submitTask = endpoint('task.submit', () => ({
  method: 'POST',
  path: '/claims/:claim/submit',
  input: z.object({ claim: Ref, notes: prose(10_000).default('') }),
  output: Claimed,
}));

export const reviewTask = endpoint('task.review', () => ({
  method: 'POST',
  path: '/claims/:claim/review',
  input: z.object({ claim: Ref, verdict: z.enum(['approve', 'reject']), notes: prose(10_000).default('') }),
  output: Claimed,
}));

export const blockTask = endpoint('task.block', () => ({
  method: 'POST',
  path: '/tasks/:task/block',
  input: z.object({ task: Ref, reason: line(500) }),
  output: Task,
}));

export const unblockTask = endpoint('task.unblock', () => ({
  method: 'POST',
  path: '/tasks/:task/unblock',
  input: z.object({ task: Ref }),
  output: Task,
}));

export const abandonClaim = endpoint('task.abandon', () => ({
  method: 'DELETE',
  path: '/claims/:claim',
  input: z.object({ claim: Ref, reason: line(500).optional() }),
  output: Claimed,
}));

export const cancelTask = endpoint('task.cancel', () => ({
  method: 'POST',
  path: '/tasks/:task/cancel',
  input: z.object({ task: Ref, reason: line(500).optional() }),
  output: Task,
}));
