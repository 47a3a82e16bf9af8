import { dueDeliveries, recordDelivery } from '../contract/notifications.ts';
import { explainAccess } from '../contract/repos.ts';
import { withLock } from '../machine/locks.ts';
import { sendWebhook } from './send-webhook.ts';
import type { Workflow } from './workflow.ts';

/** What sending takes: no clone, only a place for the lock. */
type Sender = Pick<Workflow, 'authority' | 'repo' | 'actor' | 'home' | 'signal'>;

/** Sends what is due, each once at a time; answers how many arrived. Only in the name of an owner, or of the server. */
export async function deliverNotifications(
  workflow: Sender,
  { allowPrivate, waitMs }: { allowPrivate: boolean; waitMs?: number },
): Promise<number> {
  const { authority, repo, actor } = workflow;
  if (!actor) return 0;
  const access = await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  if (access.level !== 'admin') return 0;
  const send = async () => {
    const { items } = await authority.call(dueDeliveries, { repoId: repo.id });
    let arrived = 0;
    for (const { id, url, body, headers } of items) {
      if (workflow.signal?.aborted) break;
      const sent = await sendWebhook({ url, body, headers }, { allowPrivate });
      await authority.call(recordDelivery, {
        repoId: repo.id,
        delivery: id,
        outcome: sent.kind,
        ...(sent.kind === 'delivered' ? {} : { error: sent.error }),
      });
      if (sent.kind === 'delivered') arrived++;
    }
    return arrived;
  };
  // Of each repository its own: at a server they share a home, and a slow receiver is one repository's trouble.
  return withLock(workflow.home, `deliveries-${repo.id}`, send, waitMs === undefined ? {} : { waitMs });
}
