import { SwarmError } from '../../contract/errors.ts';
import type { Org } from '../../contract/orgs.ts';
import type { Db, Tx } from '../../db/database.ts';
import type { OrgRow } from '../../db/tables.ts';

/** By its id or its name. */
export async function getOrg(db: Db, ref: string): Promise<OrgRow> {
  const row = await db
    .selectFrom('org')
    .selectAll()
    .where((e) => e.or([e('id', '=', ref), e('name', '=', ref)]))
    .executeTakeFirst();
  if (row) return row;
  throw new SwarmError('not_found', `There is no org "${ref}".`, { fix: 'gitswarm org list' });
}

export async function findOrgByName(db: Db, name: string): Promise<OrgRow | undefined> {
  return db.selectFrom('org').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function findPersonalOrg(db: Db, ownerId: string): Promise<OrgRow | undefined> {
  return db
    .selectFrom('org')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('personal', '=', 1)
    .executeTakeFirst();
}

export async function insertOrg(tx: Tx, row: OrgRow): Promise<void> {
  await tx.insertInto('org').values(row).execute();
}

export async function updateOrg(tx: Tx, id: string, changes: Partial<OrgRow>): Promise<OrgRow> {
  return tx.updateTable('org').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** In the order of their names. */
export async function listOrgRows(
  db: Db,
  filter: { afterName?: string | undefined; limit: number },
): Promise<OrgRow[]> {
  let query = db.selectFrom('org').selectAll().orderBy('name').limit(filter.limit);
  if (filter.afterName !== undefined) query = query.where('name', '>', filter.afterName);
  return query.execute();
}

export async function toOrg(db: Db, row: OrgRow): Promise<Org> {
  const owner = await db.selectFrom('agent').select('name').where('id', '=', row.owner_id).executeTakeFirst();
  const repos = await db
    .selectFrom('repo')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('org_id', '=', row.id)
    .executeTakeFirstOrThrow();
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    ownerId: row.owner_id,
    ownerName: owner?.name ?? '',
    personal: row.personal === 1,
    defaultAgentAccess: row.default_agent_access as Org['defaultAgentAccess'],
    defaultMinKarma: row.default_min_karma,
    repos: Number(repos.n),
    createdAt: row.created_at,
  };
}
