import * as z from 'zod';
import { Id, line, Priority, prose, Ref, RepoPath } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Task } from './tasks.ts';

/** The status of a task in the words of workplan files. */
export const PlanStatus = z.enum(['todo', 'in_progress', 'blocked', 'done', 'cancelled']);
export type PlanStatus = z.infer<typeof PlanStatus>;

export function isPlanStatus(text: string): text is PlanStatus {
  return (PlanStatus.options as readonly string[]).includes(text);
}

/** The id that a block has in its file, unique among the workplans of a repository: `CUST-WP-0026-T01`. */
export const BlockId = z.string().refine(isBlockId, 'is no id of a task block');

/** The same for a hundred thousand of them, without a schema's detours. */
export function isBlockId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(text);
}

/** A task as workplans see it; of a task that belongs to no block, `blockId` and `file` are null. */
export const PlanTask = z.object({
  taskId: Id,
  handle: z.string(),
  title: z.string(),
  blockId: BlockId.nullable(),
  /** The workplan in which the block was last seen. */
  file: RepoPath.nullable(),
  status: PlanStatus,
  /** The furthest status at which files and database have met. What a file says up to there is no news. */
  reached: PlanStatus,
  amount: z.number().int(),
  /** Whoever holds a claim on it now. */
  holderId: Id.nullable(),
});
export type PlanTask = z.infer<typeof PlanTask>;

/** The tasks that belong to blocks, by the id of the block; or, with `tasks`, exactly these, whatever they belong to. */
export const listPlanTasks = endpoint('workplan.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/workplans/tasks',
  input: z.object({
    repoId: Id,
    tasks: z.array(Id).max(500).optional(),
    limit: z.number().int().min(1).max(10_000).default(1000),
    cursor: z.string().max(500).optional(),
  }),
  output: z.object({ items: z.array(PlanTask), nextCursor: z.string().nullable() }),
}));

/** A block of a workplan that is to have a task. */
export const PlanBlock = z.object({
  blockId: BlockId,
  file: RepoPath,
  /** The id in the file, or the one it would be given. */
  taskId: Id,
  /** The file says so; otherwise a task that the block has already counts, and a taken id is replaced. */
  isWritten: z.boolean(),
  title: line(500),
  description: prose(50_000).default(''),
  priority: Priority.default('medium'),
  /** Blocks whose tasks a new task waits for; those without a task yet are passed over. */
  dependsOn: z.array(BlockId).max(100).default([]),
  /** Where files and database have met now; what is kept only rises, unless the file is right. */
  reached: PlanStatus.default('todo'),
});
export type PlanBlock = z.infer<typeof PlanBlock>;

/** What became of a block: its task, or why it has none. */
export const PlanLink = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('linked'), isNew: z.boolean(), task: PlanTask }),
  z.object({
    kind: z.literal('refused'),
    blockId: BlockId,
    reason: z.enum(['other_task', 'other_repository']),
  }),
]);
export type PlanLink = z.infer<typeof PlanLink>;

/**
 * Ties blocks to tasks, making those that do not exist yet. An id in a file that this database has never seen was
 * given by another machine, and is taken over. The same again changes nothing.
 */
export const linkPlanTasks = endpoint('workplan.link', () => ({
  method: 'POST',
  path: '/repos/:repoId/workplans/tasks',
  input: z.object({
    repoId: Id,
    blocks: z.array(PlanBlock).min(1).max(200),
    /** The file is right: where the block has another task already, and where more was reached. */
    replace: z.boolean().default(false),
  }),
  output: z.object({ items: z.array(PlanLink) }),
}));

/** A task without an amount that nobody else holds is done, as a maintainer says. */
export const completeTask = endpoint('task.complete', () => ({
  method: 'POST',
  path: '/tasks/:task/complete',
  input: z.object({ task: Ref, reason: line(500).optional() }),
  output: Task,
}));

/** A task that was completed or cancelled is open again, as a maintainer says. */
export const reopenTask = endpoint('task.reopen', () => ({
  method: 'POST',
  path: '/tasks/:task/reopen',
  input: z.object({ task: Ref, reason: line(500) }),
  output: Task,
}));
