import type { Db } from '../db/database.ts';
import { findServerAgent } from '../domain/agents/server-agents-store.ts';

/**
 * True where one of two agents registered the other, or somebody registered both: then one machine speaks for both.
 * Whom an administrator let in has no more in common than that.
 */
export async function isSameFleet(db: Db, one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const [first, second] = [await findServerAgent(db, one), await findServerAgent(db, other)];
  if (first?.registered_by === other || second?.registered_by === one) return true;
  const registrar = first?.registered_by ?? null;
  if (registrar === null || registrar !== second?.registered_by) return false;
  return (await findServerAgent(db, registrar))?.is_admin !== 1;
}
