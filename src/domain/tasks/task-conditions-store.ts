import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The rules of task-rules.ts that lists are filtered by, once more as conditions on the table `task`. */

/** Open, or held by a lease that is over. */
export function isFree(now: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(task.status = 'open' or (task.status = 'claimed' and exists (
    select 1 from claim where claim.task_id = task.id and claim.status = 'active' and claim.lease_until <= ${now})))`;
}

export function isReadyNow(now: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(${isFree(now)} and task.blocked_reason is null
    and (task.expires_at is null or task.expires_at > ${now})
    and not exists (select 1 from task_dependency as edge join task as other on other.id = edge.depends_on_id
      where edge.task_id = task.id and ${isUnmet()}))`;
}

/** A dependency is met when the task it names, here `other`, is completed or the stream of its claim has landed. */
export function isUnmet(): RawBuilder<SqlBool> {
  return sql<SqlBool>`(other.status <> 'completed' and not exists (
    select 1 from claim as done join stream on stream.id = done.stream_id
    where done.task_id = other.id and done.status in ('active', 'submitted', 'approved') and stream.state = 'merged'))`;
}
