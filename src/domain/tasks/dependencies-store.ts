import { sql } from 'kysely';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { TaskDependencyRow } from '../../db/tables.ts';
import { isUnmet } from './task-conditions-store.ts';

/** What these tasks depend on. */
export interface Dependency extends TaskDependencyRow {
  /** Of the task that is waited for. */
  handle: string;
  handle_length: number;
  /** 1 as long as that one has neither landed nor been completed. */
  unmet: number;
}

const dependenciesOf = prepared((db, ...taskIds: string[]) =>
  db
    .selectFrom('task_dependency as edge')
    .innerJoin('task as other', 'other.id', 'edge.depends_on_id')
    .select(['edge.task_id', 'edge.depends_on_id', 'other.handle', 'other.handle_length'])
    .select(sql<number>`case when ${isUnmet()} then 1 else 0 end`.as('unmet'))
    .where('edge.task_id', 'in', taskIds)
    .orderBy('edge.task_id')
    .orderBy('edge.depends_on_id'),
);

export async function listDependencies(db: Db, taskIds: string[]): Promise<Dependency[]> {
  return taskIds.length === 0 ? [] : dependenciesOf(db, ...taskIds);
}

/** Every dependency in a repository, by the task that has it: enough to look for a cycle. */
export async function dependencyEdges(db: Db, repoId: string): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('task_dependency')
    .innerJoin('task', 'task.id', 'task_dependency.task_id')
    .select(['task_id', 'depends_on_id'])
    .where('task.repo_id', '=', repoId)
    .execute();
  const edges = new Map<string, string[]>();
  for (const row of rows) edges.set(row.task_id, [...(edges.get(row.task_id) ?? []), row.depends_on_id]);
  return edges;
}

export async function replaceDependencies(tx: Tx, taskId: string, dependsOn: string[]): Promise<void> {
  await tx.deleteFrom('task_dependency').where('task_id', '=', taskId).execute();
  const rows = [...new Set(dependsOn)].map((id) => ({ task_id: taskId, depends_on_id: id }));
  if (rows.length > 0) await tx.insertInto('task_dependency').values(rows).execute();
}

/** Makes one task wait for another; where it does already, nothing happens. The caller knows that this is no circle. */
export async function addDependency(tx: Tx, taskId: string, dependsOnId: string): Promise<void> {
  await tx
    .insertInto('task_dependency')
    .values({ task_id: taskId, depends_on_id: dependsOnId })
    .onConflict((c) => c.columns(['task_id', 'depends_on_id']).doNothing())
    .execute();
}
