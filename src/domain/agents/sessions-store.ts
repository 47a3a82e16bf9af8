import type { Db, Tx } from '../../db/database.ts';
import type { DashboardSessionRow, LoginLinkRow } from '../../db/tables.ts';

export async function insertLoginLink(tx: Tx, row: LoginLinkRow): Promise<void> {
  await tx.insertInto('login_link').values(row).execute();
}

/** Takes the one use of a link that still holds; undefined where it does not. */
export async function useLoginLink(
  tx: Tx,
  tokenHash: string,
  now: string,
): Promise<LoginLinkRow | undefined> {
  return tx
    .updateTable('login_link')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}

export async function insertSession(tx: Tx, row: DashboardSessionRow): Promise<void> {
  await tx.insertInto('dashboard_session').values(row).execute();
}

/** The session with this hash, as long as it goes on. */
export async function findOpenSession(
  db: Db,
  tokenHash: string,
  now: string,
): Promise<DashboardSessionRow | undefined> {
  return db
    .selectFrom('dashboard_session')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** Ends one session, those of an agent, or those opened with a key; answers the ones that went on until now. */
export async function endSessions(
  tx: Tx,
  of: { tokenHash: string } | { agentId: string } | { keyHash: string },
  now: string,
): Promise<DashboardSessionRow[]> {
  const open = tx.updateTable('dashboard_session').set({ ended_at: now }).where('ended_at', 'is', null);
  const chosen =
    'tokenHash' in of
      ? open.where('token_hash', '=', of.tokenHash)
      : 'agentId' in of
        ? open.where('agent_id', '=', of.agentId)
        : open.where('key_hash', '=', of.keyHash);
  return chosen.returningAll().execute();
}

/** Forgets links and sessions whose time was over; who signed in and out stays in the log of events. */
export async function forgetExpired(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('login_link').where('expires_at', '<=', now).execute();
  await tx.deleteFrom('dashboard_session').where('expires_at', '<=', now).execute();
}
