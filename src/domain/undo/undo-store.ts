import { newId } from '../../base/ids.ts';
import type { UndoRecord } from '../../contract/undo.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { AgentRow, RepoRow, UndoRecordRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';

/** Remembers how what the caller has just done can be taken back; `data` holds what to compare and to restore. */
export async function recordUndoRow(
  ctx: EffectContext & { actor: AgentRow; repo: RepoRow },
  record: { operation: string; summary: string; data: Record<string, unknown> },
): Promise<UndoRecordRow> {
  const row: UndoRecordRow = {
    id: newId(ctx.clock.now()),
    repo_id: ctx.repo.id,
    agent_id: ctx.actor.id,
    operation: record.operation,
    summary: record.summary,
    data: JSON.stringify(record.data),
    created_at: ctx.now,
    undone_at: null,
  };
  await ctx.db.insertInto('undo_record').values(row).execute();
  return row;
}

export interface UndoFilter {
  repoId: string;
  agentId: string;
  /** Only those that have not been taken back. */
  standing?: boolean;
  operation?: string | undefined;
  idPrefix?: string | undefined;
  limit: number;
}

/** An agent's records, the last one first. */
export async function listUndoRows(db: Db, filter: UndoFilter): Promise<UndoRecordRow[]> {
  let query = db
    .selectFrom('undo_record')
    .selectAll()
    .where('repo_id', '=', filter.repoId)
    .where('agent_id', '=', filter.agentId);
  if (filter.standing) query = query.where('undone_at', 'is', null);
  if (filter.operation) query = query.where('operation', '=', filter.operation);
  if (filter.idPrefix) query = query.where('id', 'like', `${filter.idPrefix}%`);
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
}

export async function markUndone(tx: Tx, id: string, now: string): Promise<UndoRecordRow> {
  return tx
    .updateTable('undo_record')
    .set({ undone_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function toUndoRecord(row: UndoRecordRow): UndoRecord {
  return {
    id: row.id,
    operation: row.operation,
    summary: row.summary,
    data: JSON.parse(row.data) as Record<string, unknown>,
    createdAt: row.created_at,
    undoneAt: row.undone_at,
  };
}
