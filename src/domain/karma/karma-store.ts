import { newId } from '../../base/ids.ts';
import type { Db } from '../../db/database.ts';
import type { AgentRow, KarmaEntryRow } from '../../db/tables.ts';
import { getAgent, updateAgentRow } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { karmaChange } from './karma.ts';

/** Changes an agent's karma with a row that says why; what the floor at 0 swallows is not recorded as taken. */
export async function addKarma(
  ctx: EffectContext,
  change: {
    agentId: string;
    repoId: string | null;
    amount: number;
    reason: string;
    subjectId: string | null;
  },
): Promise<AgentRow> {
  const agent = await getAgent(ctx.db, change.agentId);
  const amount = karmaChange(agent.karma, change.amount);
  if (amount === 0) return agent;
  await ctx.db
    .insertInto('karma_entry')
    .values({
      id: newId(ctx.clock.now()),
      agent_id: agent.id,
      repo_id: change.repoId,
      amount,
      reason: change.reason,
      subject_id: change.subjectId,
      created_at: ctx.now,
    })
    .execute();
  ctx.emit({
    type: 'karma.changed',
    subject: { type: 'agent', id: agent.id },
    data: { amount, reason: change.reason, karma: agent.karma + amount, subjectId: change.subjectId },
    repoId: change.repoId,
  });
  return updateAgentRow(ctx.db, agent.id, { karma: agent.karma + amount, updated_at: ctx.now });
}

/** Why an agent has its karma, newest first. */
export async function listKarmaEntries(
  db: Db,
  filter: { agentId: string; beforeId?: string | undefined; limit: number },
): Promise<KarmaEntryRow[]> {
  let query = db.selectFrom('karma_entry').selectAll().where('agent_id', '=', filter.agentId);
  if (filter.beforeId) query = query.where('id', '<', filter.beforeId);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
}
