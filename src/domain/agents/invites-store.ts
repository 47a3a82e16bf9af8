import type { Db, Tx } from '../../db/database.ts';
import type { InviteRow } from '../../db/tables.ts';

export async function insertInvite(tx: Tx, row: InviteRow): Promise<void> {
  await tx.insertInto('invite').values(row).execute();
}

export async function findInvite(db: Db, id: string): Promise<InviteRow | undefined> {
  return db.selectFrom('invite').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listInviteRows(
  db: Db,
  filter: { afterId?: string | undefined; limit: number },
): Promise<InviteRow[]> {
  let query = db.selectFrom('invite').selectAll().orderBy('id').limit(filter.limit);
  if (filter.afterId !== undefined) query = query.where('id', '>', filter.afterId);
  return query.execute();
}

/** Takes one use of an invite that still holds; undefined where it does not. */
export async function useInvite(tx: Tx, tokenHash: string, now: string): Promise<InviteRow | undefined> {
  return tx
    .updateTable('invite')
    .set((e) => ({ uses_left: e('uses_left', '-', 1) }))
    .where('token_hash', '=', tokenHash)
    .where('uses_left', '>', 0)
    .where('revoked_at', 'is', null)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', now)]))
    .returningAll()
    .executeTakeFirst();
}

export async function revokeInvite(tx: Tx, id: string, at: string): Promise<void> {
  await tx.updateTable('invite').set({ revoked_at: at }).where('id', '=', id).execute();
}
