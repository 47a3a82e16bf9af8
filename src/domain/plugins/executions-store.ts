import { isId } from '../../base/ids.ts';
import type { PluginExecution } from '../../contract/plugins.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { PluginExecutionRow } from '../../db/tables.ts';

/** True while a cleanup of stale streams that is about this one runs: its trigger begins with the stream. */
export async function isCleanedUp(db: Db, streamId: string): Promise<boolean> {
  if (!isId(streamId)) return false;
  const row = await db
    .selectFrom('plugin_execution')
    .select('id')
    .where('plugin', '=', 'stale_stream_cleanup')
    .where('status', '=', 'running')
    .where('trigger_key', 'like', `${streamId} %`)
    .executeTakeFirst();
  return row !== undefined;
}

export async function findExecution(
  db: Db,
  key: { repoId: string; plugin: string; trigger: string },
): Promise<PluginExecutionRow | undefined> {
  return db
    .selectFrom('plugin_execution')
    .selectAll()
    .where('repo_id', '=', key.repoId)
    .where('plugin', '=', key.plugin)
    .where('trigger_key', '=', key.trigger)
    .executeTakeFirst();
}

export async function insertExecution(tx: Tx, row: PluginExecutionRow): Promise<void> {
  await tx.insertInto('plugin_execution').values(row).execute();
}

/** Begins an execution that is over anew. */
export async function restartExecution(
  tx: Tx,
  id: string,
  { agentId, now }: { agentId: string; now: string },
): Promise<PluginExecutionRow> {
  return tx
    .updateTable('plugin_execution')
    .set({ status: 'running', result: '{}', agent_id: agentId, started_at: now, finished_at: null })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Undefined where it is not running. */
export async function finishExecution(
  tx: Tx,
  repoId: string,
  done: { id: string; status: string; result: string; now: string },
): Promise<PluginExecutionRow | undefined> {
  return tx
    .updateTable('plugin_execution')
    .set({ status: done.status, result: done.result, finished_at: done.now })
    .where('id', '=', done.id)
    .where('repo_id', '=', repoId)
    .where('status', '=', 'running')
    .returningAll()
    .executeTakeFirst();
}

/** Newest first. */
export async function listExecutionRows(
  db: Db,
  filter: { repoId: string; plugin?: string | undefined; beforeId?: string | undefined; limit: number },
): Promise<PluginExecutionRow[]> {
  let query = db.selectFrom('plugin_execution').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.plugin) query = query.where('plugin', '=', filter.plugin);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}

export function toExecution(row: PluginExecutionRow): PluginExecution {
  return {
    id: row.id,
    plugin: row.plugin as PluginExecution['plugin'],
    trigger: row.trigger_key,
    status: row.status as PluginExecution['status'],
    result: JSON.parse(row.result) as Record<string, unknown>,
    agentId: row.agent_id,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
