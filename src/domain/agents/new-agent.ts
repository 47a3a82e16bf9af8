import { newId } from '../../base/ids.ts';
import type { Tx } from '../../db/database.ts';
import type { AgentRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { slugOf } from './agent-names.ts';
import { findAgentBySlug, insertAgent } from './agents-store.ts';

const LONGEST_SLUG = 40;

/** Makes an active agent whose name is known to be free, with a slug of its own. */
export async function makeAgent(
  ctx: EffectContext,
  wish: {
    id?: string;
    status?: 'active' | 'suspended';
    name: string;
    kind: 'agent' | 'human';
    description?: string;
    role?: string | undefined;
    operator?: string | undefined;
    apiKeyHash?: string;
    repoId?: string | undefined;
    councilId?: string | undefined;
  },
): Promise<AgentRow> {
  const agent = await insertAgent(ctx.db, {
    id: wish.id ?? newId(ctx.clock.now()),
    name: wish.name,
    slug: await freeSlug(ctx.db, wish.name),
    kind: wish.kind,
    description: wish.description ?? '',
    api_key_hash: wish.apiKeyHash ?? null,
    status: wish.status ?? 'active',
    karma: 0,
    role: wish.role ?? null,
    operator: wish.operator ?? null,
    council_id: wish.councilId ?? null,
    created_at: ctx.now,
    updated_at: ctx.now,
  });
  ctx.emit({
    type: 'agent.registered',
    subject: { type: 'agent', id: agent.id },
    data: { name: agent.name, kind: agent.kind },
    ...(wish.repoId ? { repoId: wish.repoId } : {}),
  });
  return agent;
}

/** The name's slug, with the first number from 2 that makes it unlike all others. */
async function freeSlug(tx: Tx, name: string): Promise<string> {
  const slug = slugOf(name);
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? '' : `-${n}`;
    const candidate = `${slug.slice(0, LONGEST_SLUG - suffix.length)}${suffix}`;
    if (!(await findAgentBySlug(tx, candidate))) return candidate;
  }
}
