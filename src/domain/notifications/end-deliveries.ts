import type { SwarmEvent } from '../../contract/events.ts';
import type { Db } from '../../db/database.ts';
import type { RepoRow } from '../../db/tables.ts';
import { accessOf } from '../access/access-store.ts';
import { findAgent } from '../agents/agents-store.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { listPendingDeliveries, updateDelivery } from './notifications-store.ts';

type Now = Pick<EffectContext, 'db' | 'now'>;

/** Nobody hears of a repository they may not read, but everybody of what is about themselves. */
export async function mayHear(
  db: Db,
  repo: RepoRow,
  { agentId, event, now }: { agentId: string; event: SwarmEvent; now: string },
): Promise<boolean> {
  const agent = await findAgent(db, agentId);
  if (!agent || agent.council_id !== null) return false;
  return event.subject.id === agentId || (await accessOf(db, repo, agent, now)).level !== null;
}

/** What waits for a webhook that its agent has withdrawn or changed is not sent any more, wherever it would go now. */
export async function endDeliveriesTo({ db, now }: Now, agentId: string): Promise<void> {
  for (const { id } of await listPendingDeliveries(db, { agentId }))
    await end(db, id, { reason: 'the webhook was withdrawn or changed', now });
}

/** Nor is what tells of a repository that its receiver may not read any more. */
export async function endUnreadable({ db, now }: Now, repo: RepoRow): Promise<void> {
  for (const { id, agent_id: agentId, payload } of await listPendingDeliveries(db, { repoId: repo.id })) {
    const event = JSON.parse(payload) as SwarmEvent;
    if (!(await mayHear(db, repo, { agentId, event, now })))
      await end(db, id, { reason: 'its receiver may not read the repository any more', now });
  }
}

async function end(
  db: EffectContext['db'],
  id: string,
  { reason, now }: { reason: string; now: string },
): Promise<void> {
  await updateDelivery(db, id, { status: 'dead', next_at: null, last_error: reason, updated_at: now });
}
