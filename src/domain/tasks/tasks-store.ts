import { type SqlBool, sql } from 'kysely';
import type { Priority } from '../../contract/common.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Task, TaskStatus } from '../../contract/tasks.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { ClaimRow, TaskRow } from '../../db/tables.ts';
import { handleOf, likePrefix } from '../references/references.ts';
import { newHandle } from '../references/references-store.ts';
import { LIVE_CLAIMS, toClaim } from './claims-store.ts';
import { listDependencies } from './dependencies-store.ts';
import { isFree, isReadyNow } from './task-conditions-store.ts';
import { isLeaseOver, isReady } from './task-rules.ts';

export async function insertTask(tx: Tx, task: Omit<TaskRow, 'handle' | 'handle_length'>): Promise<TaskRow> {
  const row: TaskRow = { ...task, ...(await newHandle(tx, 'task', task.id)) };
  await tx.insertInto('task').values(row).execute();
  return row;
}

const byId = prepared((db, id: string) => db.selectFrom('task').selectAll().where('id', '=', id));

export async function findTaskRow(db: Db, id: string): Promise<TaskRow | undefined> {
  return (await byId(db, id))[0];
}

export async function getTaskRow(db: Db, id: string): Promise<TaskRow> {
  const row = await findTaskRow(db, id);
  if (!row) throw new SwarmError('not_found', `There is no task ${id}.`, { fix: 'gitswarm task list' });
  return row;
}

export async function updateTaskRow(tx: Tx, id: string, changes: Partial<TaskRow>): Promise<TaskRow> {
  return tx.updateTable('task').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export interface TaskFilter {
  repoId: string;
  status?: TaskStatus | undefined;
  ready?: boolean | undefined;
  label?: string | undefined;
  /** The agent that holds it now. */
  claimedBy?: string | undefined;
  afterId?: string | undefined;
  limit: number;
  now: string;
}

/** Tasks in the order of their creation; a task whose lease is over counts as open. */
export async function listTaskRows(db: Db, filter: TaskFilter): Promise<TaskRow[]> {
  const { now, status } = filter;
  let query = db.selectFrom('task').selectAll('task').where('task.repo_id', '=', filter.repoId);
  if (status === 'open') query = query.where(isFree(now));
  else if (status === 'claimed')
    query = query.where('task.status', '=', 'claimed').where(sql<SqlBool>`not ${isFree(now)}`);
  else if (status) query = query.where('task.status', '=', status);
  if (filter.ready === true) query = query.where(isReadyNow(now));
  if (filter.ready === false) query = query.where(sql<SqlBool>`not ${isReadyNow(now)}`);
  if (filter.label !== undefined) query = query.where(hasLabel(filter.label));
  if (filter.claimedBy) query = query.where(isHeldBy(filter.claimedBy, now));
  if (filter.afterId) query = query.where('task.id', '>', filter.afterId);
  return query.orderBy('task.id').limit(filter.limit).execute();
}

function hasLabel(label: string) {
  return sql<SqlBool>`task.labels like ${`%${likePrefix(JSON.stringify(label))}`} escape '\\'`;
}

function isHeldBy(agentId: string, now: string) {
  return sql<SqlBool>`exists (select 1 from claim where claim.task_id = task.id and claim.agent_id = ${agentId}
    and (claim.status = 'submitted' or (claim.status = 'active' and claim.lease_until > ${now})))`;
}

/** What is needed to put the ready tasks in order. */
export async function listReadyPlaces(
  db: Db,
  filter: { repoId: string; now: string },
): Promise<Pick<TaskRow, 'id' | 'priority' | 'created_at' | 'labels'>[]> {
  return db
    .selectFrom('task')
    .select(['task.id', 'task.priority', 'task.created_at', 'task.labels'])
    .where('task.repo_id', '=', filter.repoId)
    .where(isReadyNow(filter.now))
    .orderBy('task.id')
    .execute();
}

/**
 * The unfinished tasks that this program opened under these labels, oldest first. It opens none with an amount: one that
 * has any is somebody's promise, and not ended by the way.
 */
export async function listTrackedTasks(db: Db, repoId: string, labels: string[]): Promise<TaskRow[]> {
  let query = db
    .selectFrom('task')
    .selectAll()
    .where('repo_id', '=', repoId)
    .where('amount', '=', 0)
    .where('status', 'in', ['open', 'claimed', 'submitted']);
  for (const label of labels) query = query.where(hasLabel(label));
  return query.orderBy('id').execute();
}

/** Unfinished tasks nobody has submitted whose time is over. */
export async function listExpiredTasks(db: Db, now: string, limit = 200): Promise<TaskRow[]> {
  return db
    .selectFrom('task')
    .selectAll()
    .where('status', 'in', ['open', 'claimed'])
    .where('expires_at', '<=', now)
    .orderBy('id')
    .limit(limit)
    .execute();
}

export type TaskCounts = Record<TaskStatus | 'ready', number>;

/** How many tasks there are in each status; `ready` is a part of `open`. */
export async function countTasks(db: Db, repoId: string, now: string): Promise<TaskCounts> {
  const status = sql<TaskStatus | 'ready'>`case when ${isReadyNow(now)} then 'ready'
    when ${isFree(now)} then 'open' else task.status end`;
  const rows = await db
    .selectFrom('task')
    .select((e) => [status.as('word'), e.fn.countAll<number>().as('n')])
    .where('repo_id', '=', repoId)
    .groupBy('word')
    .execute();
  const counts: TaskCounts = { open: 0, ready: 0, claimed: 0, submitted: 0, completed: 0, cancelled: 0 };
  for (const row of rows) counts[row.word] = Number(row.n);
  return { ...counts, open: counts.open + counts.ready };
}

const liveClaimsOf = prepared((db, ...taskIds: string[]) =>
  db
    .selectFrom('claim')
    .selectAll()
    .where('task_id', 'in', taskIds)
    .where('status', 'in', [...LIVE_CLAIMS, 'approved'])
    .orderBy('claimed_at')
    .orderBy('id'),
);

/** Rows as the contract gives them, in the same order; a lease that is over at `now` is seen as released. */
export async function toTasks(db: Db, rows: TaskRow[], now: string): Promise<Task[]> {
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return [];
  const dependencies = await listDependencies(db, ids);
  const claims = await liveClaimsOf(db, ...ids);
  const held = new Map(
    claims.filter((claim) => !isLeaseOver(claim, now)).map((claim) => [claim.task_id, claim]),
  );
  const released = new Set(claims.filter((claim) => isLeaseOver(claim, now)).map((claim) => claim.task_id));
  return rows.map((row) => {
    const own = dependencies.filter((edge) => edge.task_id === row.id);
    const waitsFor = own.filter((edge) => edge.unmet).map((edge) => edge.depends_on_id);
    const status = row.status === 'claimed' && released.has(row.id) ? 'open' : (row.status as TaskStatus);
    return {
      ...plainTask(row, status, held.get(row.id)),
      dependsOn: own.map((edge) => edge.depends_on_id),
      waitsFor,
      ready: isReady({ status, blockedReason: row.blocked_reason, waitsFor, expiresAt: row.expires_at, now }),
    };
  });
}

export async function toTask(db: Db, row: TaskRow, now: string): Promise<Task> {
  const [task] = await toTasks(db, [row], now);
  if (!task) throw new SwarmError('internal', `Task ${row.id} could not be shown.`);
  return task;
}

export function handleOfTask(row: TaskRow): string {
  return handleOf('task', row);
}

function plainTask(
  row: TaskRow,
  status: TaskStatus,
  claim: ClaimRow | undefined,
): Omit<Task, 'dependsOn' | 'waitsFor' | 'ready'> {
  return {
    id: row.id,
    handle: handleOfTask(row),
    repoId: row.repo_id,
    title: row.title,
    description: row.description,
    status,
    priority: row.priority as Priority,
    amount: row.amount,
    labels: JSON.parse(row.labels) as string[],
    paths: JSON.parse(row.paths) as string[],
    acceptance: JSON.parse(row.acceptance) as string[],
    difficulty: row.difficulty,
    blockedReason: row.blocked_reason,
    revertOfStreamId: row.revert_of_stream_id,
    claim: claim && status !== 'open' ? toClaim(claim) : null,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    completedAt: row.completed_at,
  };
}
