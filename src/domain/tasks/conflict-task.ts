import type { StreamConflict } from '../../contract/streams.ts';
import type { StreamRow, TaskRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { handleOfStream, listStreamRows } from '../streams/streams-store.ts';
import { completeTracked, openTrackedTask } from './critical-task.ts';
import { cancelTaskRow } from './task-expiry.ts';
import { conflictLabel } from './task-labels.ts';
import { listTrackedTasks } from './tasks-store.ts';

/** So long an agent that was just told of a conflict has to resolve it before it becomes a task. */
const PATIENCE_MS = 30 * 60_000;
const MOST_AT_ONCE = 200;

/** Opens one task for the author of each stream whose conflict nobody has resolved in time; answers how many. */
export async function openConflictTasks(ctx: EffectContext, repoId: string): Promise<number> {
  const rows = await listStreamRows(ctx.db, { repoId, states: ['conflicted'], limit: MOST_AT_ONCE });
  const due = rows.filter(
    (row) => Date.parse(conflictOf(row)?.at ?? ctx.now) + PATIENCE_MS <= Date.parse(ctx.now),
  );
  if (due.length === 0) return 0;
  const standing = await listTrackedTasks(ctx.db, repoId, ['conflict']);
  const missing = due.filter((row) => !standing.some((task) => bears(task, row)));
  for (const row of missing) await openTask(ctx, row);
  return missing.length;
}

async function openTask(ctx: EffectContext, stream: StreamRow): Promise<void> {
  const conflict = conflictOf(stream);
  const files = conflict?.files ?? [];
  await openTrackedTask(ctx, {
    repoId: stream.repo_id,
    title: `Resolve what ${stream.name} conflicts with`,
    description: [
      `Stream ${handleOfStream(stream)} conflicts with the ${conflict?.with ?? 'buffer'} at ${conflict?.onto ?? ''} since ${conflict?.at ?? ''}:`,
      '',
      ...files.slice(0, 100).map((file) => `- ${file.path} (${file.kind})`),
      '',
      `GET /streams/${stream.id}/conflicts shows both sides; POST /streams/${stream.id}/resolve takes the files as they are to be.`,
      'Where there is a checkout: gitswarm stream resolve.',
    ].join('\n'),
    paths: files.map((file) => file.path),
    createdBy: stream.agent_id,
    assigneeId: stream.agent_id,
    labels: ['conflict', conflictLabel(stream)],
    priority: 'high',
  });
}

/** The stream conflicts with nothing any more: the task is done, or needless where the stream was given up. */
export async function endConflictTask(ctx: EffectContext, stream: StreamRow): Promise<void> {
  const isWaiting = stream.state === 'paused' && stream.state_before === 'conflicted';
  if (stream.state === 'conflicted' || isWaiting) return;
  const label = conflictLabel(stream);
  if (stream.state !== 'abandoned') return completeTracked(ctx, { stream, label });
  for (const task of await listTrackedTasks(ctx.db, stream.repo_id, [label]))
    await cancelTaskRow(ctx, task, `${handleOfStream(stream)} was abandoned`);
}

function conflictOf(stream: StreamRow): StreamConflict | undefined {
  return stream.conflict === null ? undefined : (JSON.parse(stream.conflict) as StreamConflict);
}

function bears(task: TaskRow, stream: StreamRow): boolean {
  return (JSON.parse(task.labels) as string[]).includes(conflictLabel(stream));
}
