import type { Db, Tx } from '../../db/database.ts';
import type { ReceiptRow } from '../../db/tables.ts';

export async function findReceiptRow(db: Db, actorId: string, key: string): Promise<ReceiptRow | undefined> {
  return db
    .selectFrom('receipt')
    .selectAll()
    .where('actor_id', '=', actorId)
    .where('key', '=', key)
    .executeTakeFirst();
}

export async function insertReceiptRow(tx: Tx, row: ReceiptRow): Promise<void> {
  await tx.insertInto('receipt').values(row).execute();
}

/** Forgets receipts older than this ISO time; answers how many. */
export async function deleteReceiptsBefore(tx: Tx, before: string): Promise<number> {
  const result = await tx.deleteFrom('receipt').where('created_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}
