import { newId } from '../../base/ids.ts';
import type { AgentRow, OrgRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { findOrgByName, findPersonalOrg, insertOrg } from './orgs-store.ts';

/** The org of an agent's own, made when it is first asked for; its repositories are those that name no other. */
export async function ensurePersonalOrg(ctx: EffectContext, agent: AgentRow): Promise<OrgRow> {
  const existing = await findPersonalOrg(ctx.db, agent.id);
  if (existing) return existing;
  const row: OrgRow = {
    id: newId(ctx.clock.now()),
    name: await freeName(ctx, agent.slug),
    description: '',
    owner_id: agent.id,
    personal: 1,
    default_agent_access: 'public',
    default_min_karma: 0,
    created_at: ctx.now,
    updated_at: ctx.now,
  };
  await insertOrg(ctx.db, row);
  ctx.emit({
    type: 'org.created',
    subject: { type: 'org', id: row.id },
    data: { name: row.name, personal: true },
    repoId: null,
  });
  return row;
}

async function freeName(ctx: EffectContext, slug: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? slug : `${slug}-${n}`;
    if (!(await findOrgByName(ctx.db, name))) return name;
  }
}
