import type { AccessLevel } from '../../contract/repos.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { AccessGrantRow, AgentRow, MaintainerRow, RepoRow } from '../../db/tables.ts';
import { isServer } from '../agents/server-identity.ts';
import { listMandates } from '../councils/mandates-store.ts';
import { serverSettings } from '../repos/repos-store.ts';
import { type AccessResult, accessLevel, readOnly } from './access.ts';

const heldIn = prepared((db, repoId: string, agentId: string) =>
  db
    .selectFrom('agent')
    .leftJoin('maintainer', (on) =>
      on.onRef('maintainer.agent_id', '=', 'agent.id').on('maintainer.repo_id', '=', repoId),
    )
    .leftJoin('access_grant', (on) =>
      on.onRef('access_grant.agent_id', '=', 'agent.id').on('access_grant.repo_id', '=', repoId),
    )
    .where('agent.id', '=', agentId)
    .select(['maintainer.role', 'access_grant.level', 'access_grant.expires_at']),
);

/** What this agent may do in this repository now, with the reasons. */
export async function accessOf(db: Db, repo: RepoRow, agent: AgentRow, now: string): Promise<AccessResult> {
  if (isServer(agent))
    return {
      level: 'admin',
      reasons: ['the server looks after its repositories (nothing but housekeeping)'],
    };
  if (agent.council_id !== null) return councilAccess(db, repo, agent.council_id);
  const [held] = await heldIn(db, repo.id, agent.id);
  return accessLevel({
    agent,
    role: held?.role ? (held.role as 'maintainer' | 'owner') : null,
    grant: held?.level ? { level: held.level as AccessLevel, expiresAt: held.expires_at } : null,
    settings: serverSettings(repo),
    archived: repo.status === 'archived',
    now,
  });
}

/**
 * A council has no access of its own; while it carries out what it decided in its repository, it may do that (see
 * mandates.ts).
 */
async function councilAccess(db: Db, repo: RepoRow, councilId: string): Promise<AccessResult> {
  const mandates = await listMandates(db, councilId, repo.id);
  if (mandates.length === 0) return { level: null, reasons: ['a council acts only on what it has decided'] };
  const reasons = mandates.map(({ type }) => `carries out a decision to ${type.replace('_', ' ')}`);
  return repo.status === 'archived' ? readOnly(reasons) : { level: 'admin', reasons };
}

export async function findMaintainer(
  db: Db,
  repoId: string,
  agentId: string,
): Promise<MaintainerRow | undefined> {
  return db
    .selectFrom('maintainer')
    .selectAll()
    .where('repo_id', '=', repoId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
}

const maintainersOf = prepared((db, repoId: string) =>
  db
    .selectFrom('maintainer')
    .selectAll()
    .where('repo_id', '=', repoId)
    .orderBy('role', 'desc')
    .orderBy('created_at')
    .orderBy('agent_id'),
);

/** Owners first, then by the time they were added. */
export async function listMaintainerRows(db: Db, repoId: string): Promise<MaintainerRow[]> {
  return maintainersOf(db, repoId);
}

/** Owners and maintainers who are not suspended. */
export async function countActiveMaintainers(db: Db, repoId: string): Promise<number> {
  const row = await db
    .selectFrom('maintainer')
    .innerJoin('agent', 'agent.id', 'maintainer.agent_id')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('maintainer.repo_id', '=', repoId)
    .where('agent.status', '=', 'active')
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function upsertMaintainer(tx: Tx, row: MaintainerRow): Promise<void> {
  await tx
    .insertInto('maintainer')
    .values(row)
    .onConflict((c) => c.columns(['repo_id', 'agent_id']).doUpdateSet({ role: row.role, reason: row.reason }))
    .execute();
}

export async function deleteMaintainer(tx: Tx, repoId: string, agentId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('maintainer')
    .where('repo_id', '=', repoId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function listGrantRows(db: Db, repoId: string): Promise<AccessGrantRow[]> {
  return db
    .selectFrom('access_grant')
    .selectAll()
    .where('repo_id', '=', repoId)
    .orderBy('created_at')
    .orderBy('agent_id')
    .execute();
}

export async function upsertGrant(tx: Tx, row: AccessGrantRow): Promise<void> {
  await tx
    .insertInto('access_grant')
    .values(row)
    .onConflict((c) =>
      c
        .columns(['repo_id', 'agent_id'])
        .doUpdateSet({ level: row.level, granted_by: row.granted_by, expires_at: row.expires_at }),
    )
    .execute();
}

export async function deleteGrant(tx: Tx, repoId: string, agentId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('access_grant')
    .where('repo_id', '=', repoId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
