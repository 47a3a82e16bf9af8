import * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import { RepoConfig } from '../contract/repo-files.ts';
import type { UndoRecord } from '../contract/undo.ts';
import type { RepoRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { changeSettings, settingValue } from '../domain/repos/config-settings.ts';
import { serverSettings, updateRepoRow } from '../domain/repos/repos-store.ts';
import { getClaimRow } from '../domain/tasks/claims-store.ts';
import { giveUpClaim } from '../domain/tasks/leases.ts';
import { readTaskFields, TaskFields, writeTaskFields } from '../domain/tasks/task-fields.ts';
import { getTaskRow, handleOfTask, updateTaskRow } from '../domain/tasks/tasks-store.ts';
import { changedSince } from '../domain/undo/changed-since.ts';
import type { ActingContext } from './operation.ts';
import { checkChange, refuseCycle } from './task-changes.ts';
import { undoAbandon, undoPause, undoQueueMove } from './undo-streams.ts';

/** Takes back what an operation did in the database, after it has seen that nothing else happened since. */
export type UndoAction = (context: ActingContext & { repo: RepoRow }, record: UndoRecord) => Promise<void>;

/** By the name of the operation that was recorded. One without an entry here is taken back by a workflow alone. */
export const undoActions: Record<string, UndoAction> = {
  'task.claim': undoClaim,
  'task.update': undoTaskUpdate,
  'repo.set_config': undoSetConfig,
  'stream.pause': undoPause,
  'stream.abandon': undoAbandon,
  'queue.move': undoQueueMove,
};

/** What is never undone, by the words a person may use for it, with what to do instead. */
export const neverUndone: Record<string, { why: string; fix: string }> = {
  ...sameFor(['merge', 'landing', 'merge.request', 'merge.land'], {
    why: 'A landing is not undone but reverted.',
    fix: 'gitswarm revert <stream>',
  }),
  ...sameFor(['promote', 'promotion', 'promotion.record'], {
    why: 'A promotion is never undone: others may have built on it.',
    fix: 'Revert the landing, stabilize and promote again.',
  }),
};

function sameFor<T>(words: string[], value: T): Record<string, T> {
  return Object.fromEntries(words.map((word) => [word, value]));
}

const ClaimData = z.object({ claimId: z.string(), leaseUntil: z.string().nullable() });

async function undoClaim(context: ActingContext, record: UndoRecord): Promise<void> {
  const data = ClaimData.parse(record.data);
  const claim = await getClaimRow(context.db, data.claimId);
  const untouched =
    claim.status === 'active' && claim.stream_id === null && claim.lease_until === data.leaseUntil;
  if (!untouched) throw changedSince(record, 'gitswarm task abandon');
  const task = await getTaskRow(context.db, claim.task_id);
  await giveUpClaim(context, claim);
  await updateTaskRow(context.db, task.id, { status: 'open', updated_at: context.now });
  context.emit({
    type: 'task.released',
    subject: { type: 'task', id: task.id },
    data: { title: task.title, claimId: claim.id, agentId: claim.agent_id, reason: 'undone' },
  });
}

const TaskData = z.object({ taskId: z.string(), before: TaskFields.partial(), after: TaskFields.partial() });

async function undoTaskUpdate(context: ActingContext & { repo: RepoRow }, record: UndoRecord): Promise<void> {
  const { db, now } = context;
  const data = TaskData.parse(record.data);
  const task = await getTaskRow(db, data.taskId);
  await checkChange({ ...context, task });
  const current = await readTaskFields(db, task);
  const untouched = TaskFields.keyof().options.every(
    (key) => data.after[key] === undefined || current[key] === data.after[key],
  );
  if (!untouched) throw changedSince(record, `gitswarm task show ${handleOfTask(task)}`);
  const { dependsOn } = data.before;
  if (dependsOn !== undefined)
    await refuseCycle(context, task, z.array(z.string()).parse(JSON.parse(dependsOn)));
  await writeTaskFields(db, task, { fields: data.before, now });
  context.emit({
    type: 'task.updated',
    subject: { type: 'task', id: task.id },
    data: { title: data.before.title ?? task.title, changed: Object.keys(data.before), undo: true },
  });
}

const ConfigData = z.object({
  changes: z.array(z.object({ key: z.string(), before: z.unknown(), after: z.unknown() })),
});

async function undoSetConfig(context: ActingContext & { repo: RepoRow }, record: UndoRecord): Promise<void> {
  const { actor, db, repo, now } = context;
  const { level } = await accessOf(db, repo, actor, now);
  if (!includesLevel(level, 'admin')) {
    throw new SwarmError('not_allowed', `${actor.name} may not undo this: settings are for owners.`);
  }
  const { changes } = ConfigData.parse(record.data);
  const current = { config: RepoConfig.parse(JSON.parse(repo.config_copy)), settings: serverSettings(repo) };
  const untouched = changes.every(
    ({ key, after }) => JSON.stringify(settingValue(current, key)) === JSON.stringify(after),
  );
  if (!untouched) throw changedSince(record, 'gitswarm config list');
  const back = Object.fromEntries(changes.map(({ key, before }) => [key, before]));
  const { config, settings } = changeSettings(current, back);
  await updateRepoRow(db, repo.id, {
    config_copy: JSON.stringify(config),
    settings: JSON.stringify(settings),
    updated_at: now,
  });
  context.emit({
    type: 'repo.config_changed',
    subject: { type: 'repo', id: repo.id },
    data: { changes: back, undo: true },
  });
}
