import { newId } from '../../base/ids.ts';
import type { SwarmEvent } from '../../contract/events.ts';
import type { RepoRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { listEventRows, toEvent } from '../events/events-store.ts';
import { wants } from './audience.ts';
import { endUnreadable, mayHear } from './end-deliveries.ts';
import {
  findCursor,
  findPreference,
  insertDelivery,
  insertNotification,
  setCursor,
} from './notifications-store.ts';
import { recipientsOf } from './recipients-store.ts';

/** A step takes this many events; the rest waits for the next. */
const MOST_AT_ONCE = 500;

/** Tells agents what concerns them of what has happened since the last time; answers how many were told something. */
export async function notifyOfEvents(ctx: EffectContext, repo: RepoRow): Promise<number> {
  const name = `notify ${repo.id}`;
  const after = await findCursor(ctx.db, name);
  const rows = await listEventRows(ctx.db, { repoId: repo.id, after, limit: MOST_AT_ONCE });
  const last = rows.at(-1);
  if (!last) return 0;
  await endUnreadable(ctx, repo);
  let told = 0;
  for (const event of rows.map(toEvent)) {
    for (const agentId of await recipientsOf(ctx.db, repo, event)) {
      if (await tell(ctx, repo, { agentId, event })) told++;
    }
  }
  await setCursor(ctx.db, name, { seq: Number(last.seq), now: ctx.now });
  return told;
}

/** Nobody hears of a repository they may not read, or of what they do not want to hear. */
async function tell(
  ctx: EffectContext,
  repo: RepoRow,
  { agentId, event }: { agentId: string; event: SwarmEvent },
): Promise<boolean> {
  if (!(await mayHear(ctx.db, repo, { agentId, event, now: ctx.now }))) return false;
  const preference = await findPreference(ctx.db, agentId);
  if (
    preference &&
    (preference.enabled === 0 || !wants(JSON.parse(preference.events) as string[], event.type))
  ) {
    return false;
  }
  const id = newId(ctx.clock.now());
  const isNew = await insertNotification(ctx.db, {
    id,
    agent_id: agentId,
    repo_id: event.repoId,
    event_id: event.id,
    event_seq: event.seq,
    type: event.type,
    payload: JSON.stringify(event),
    read_at: null,
    created_at: ctx.now,
  });
  // A webhook that fails is not told so by webhook: that would fail too, and never end.
  if (isNew && preference?.webhook_url && event.type !== 'delivery.dead') {
    await insertDelivery(ctx.db, {
      id: newId(ctx.clock.now()),
      notification_id: id,
      repo_id: repo.id,
      url: preference.webhook_url,
      status: 'pending',
      attempts: 0,
      next_at: ctx.now,
      last_error: null,
      updated_at: ctx.now,
      created_at: ctx.now,
    });
  }
  return isNew;
}
