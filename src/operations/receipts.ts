import type { Db, Tx } from '../db/database.ts';
import { deleteReceiptsBefore, findReceiptRow, insertReceiptRow } from '../domain/receipts/receipts-store.ts';

/** The remembered answer of a write, so that the same key gives the same answer and never runs twice. */
export interface Receipt {
  operation: string;
  bodyHash: string;
  answer: unknown;
}

export async function findReceipt(
  db: Db,
  key: { actorId: string; key: string },
): Promise<Receipt | undefined> {
  const row = await findReceiptRow(db, key.actorId, key.key);
  return row && { operation: row.operation, bodyHash: row.body_hash, answer: JSON.parse(row.answer) };
}

export async function insertReceipt(
  tx: Tx,
  receipt: Receipt & { actorId: string; key: string; now: string },
): Promise<void> {
  await insertReceiptRow(tx, {
    actor_id: receipt.actorId,
    key: receipt.key,
    operation: receipt.operation,
    body_hash: receipt.bodyHash,
    answer: JSON.stringify(receipt.answer ?? null),
    created_at: receipt.now,
  });
}

export const forgetReceipts = deleteReceiptsBefore;
