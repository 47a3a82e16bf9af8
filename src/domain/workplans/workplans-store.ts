import { sql } from 'kysely';
import type { TaskStatus } from '../../contract/tasks.ts';
import type { PlanStatus, PlanTask } from '../../contract/workplans.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { WorkplanTaskRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';
import { isLeaseOver } from '../tasks/task-rules.ts';
import { planStatusOf } from './plan-status.ts';

interface JoinedRow {
  id: string;
  handle: string;
  handle_length: number;
  title: string;
  status: string;
  blocked_reason: string | null;
  amount: number;
  block_id: string | null;
  file: string | null;
  reached: string | null;
  agent_id: string | null;
  claim_status: string | null;
  lease_until: string | null;
}

const COLUMNS = sql`task.id, task.handle, task.handle_length, task.title, task.status, task.blocked_reason,
  task.amount, plan.block_id, plan.file, plan.reached, claim.agent_id, claim.status as claim_status,
  claim.lease_until`;
const CLAIM = sql`left join claim on claim.task_id = task.id and claim.status in ('active', 'submitted')`;

/** Tasks that belong to blocks, by the id of the block. */
export async function listPlanRows(
  db: Db,
  filter: { repoId: string; afterBlock: string | undefined; limit: number; now: string },
): Promise<PlanTask[]> {
  const { rows } = await sql<JoinedRow>`select ${COLUMNS} from workplan_task as plan
    join task on task.id = plan.task_id ${CLAIM}
    where plan.repo_id = ${filter.repoId} and plan.block_id > ${filter.afterBlock ?? ''}
    order by plan.block_id limit ${filter.limit}`.execute(db);
  return rows.map((row) => toPlanTask(row, filter.now));
}

/** These tasks of the repository, whether they belong to a block or not. */
export async function findPlanRows(
  db: Db,
  filter: { repoId: string; taskIds: string[]; now: string },
): Promise<PlanTask[]> {
  if (filter.taskIds.length === 0) return [];
  const { rows } = await sql<JoinedRow>`select ${COLUMNS} from task
    left join workplan_task as plan on plan.task_id = task.id ${CLAIM}
    where task.repo_id = ${filter.repoId} and task.id in (${sql.join(filter.taskIds)})
    order by task.id`.execute(db);
  return rows.map((row) => toPlanTask(row, filter.now));
}

/** A lease that is over at `now` is seen as released. */
function toPlanTask(row: JoinedRow, now: string): PlanTask {
  const claim =
    row.claim_status === null ? undefined : { status: row.claim_status, lease_until: row.lease_until };
  const isFree = claim !== undefined && isLeaseOver(claim, now);
  const status = (isFree && row.status === 'claimed' ? 'open' : row.status) as TaskStatus;
  return {
    taskId: row.id,
    handle: handleOf('task', row),
    title: row.title,
    blockId: row.block_id,
    file: row.file,
    status: planStatusOf({ status, isBlocked: row.blocked_reason !== null }),
    reached: (row.reached ?? 'todo') as PlanStatus,
    amount: Number(row.amount),
    holderId: isFree ? null : row.agent_id,
  };
}

export async function findPlanRowOfBlock(
  db: Db,
  repoId: string,
  blockId: string,
): Promise<WorkplanTaskRow | undefined> {
  return db
    .selectFrom('workplan_task')
    .selectAll()
    .where('repo_id', '=', repoId)
    .where('block_id', '=', blockId)
    .executeTakeFirst();
}

export async function findPlanRowOfTask(db: Db, taskId: string): Promise<WorkplanTaskRow | undefined> {
  return db.selectFrom('workplan_task').selectAll().where('task_id', '=', taskId).executeTakeFirst();
}

/** Ties a task to a block; what it was tied to before does not count any more. */
export async function putPlanRow(tx: Tx, row: WorkplanTaskRow): Promise<void> {
  const { block_id, file, reached, updated_at } = row;
  await tx
    .insertInto('workplan_task')
    .values(row)
    .onConflict((c) => c.column('task_id').doUpdateSet({ block_id, file, reached, updated_at }))
    .execute();
}

export async function deletePlanRow(tx: Tx, taskId: string): Promise<void> {
  await tx.deleteFrom('workplan_task').where('task_id', '=', taskId).execute();
}
