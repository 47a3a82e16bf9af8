import { allPages } from '../../base/all-pages.ts';
import { isoTime } from '../../base/clock.ts';
import type { Agent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { addMaintainer, listMaintainers, removeMaintainer } from '../../contract/repos.ts';
import { finishIntent, insertIntent } from '../../machine/intents.ts';
import type { Workflow } from '../workflow.ts';

/** What is written down before anybody is trusted, so that a crash leaves no maintainer behind. */
export interface TrustIntent {
  agentIds: string[];
}

/**
 * Makes the reviewers maintainers while `work` runs, and takes that back however it ends. Who is one already stays one.
 */
export async function withTrustedReviewers<T>(
  workflow: Workflow,
  reviewers: Agent[],
  work: (trusted: Agent[]) => Promise<T>,
): Promise<T> {
  const maintainers = await allPages((cursor) =>
    workflow.authority.call(listMaintainers, { repoId: workflow.repo.id, limit: 200, cursor }),
  );
  const fresh = reviewers.filter((reviewer) => !maintainers.some((each) => each.agent.id === reviewer.id));
  const data: TrustIntent = { agentIds: fresh.map((reviewer) => reviewer.id) };
  const intent = insertIntent(workflow.machine, { kind: 'trust', data, at: isoTime(workflow.clock.now()) });
  try {
    for (const reviewer of fresh) {
      await workflow.authority.call(addMaintainer, {
        repoId: workflow.repo.id,
        agent: reviewer.id,
        reason: 'trusted for the length of a swarm run',
      });
    }
    return await work(fresh);
  } finally {
    await distrust(workflow, data);
    finishIntent(workflow.machine, intent);
  }
}

/** Takes the trust back. False where the actor may not: an owner's next command does it. */
export async function distrust(workflow: Workflow, { agentIds }: TrustIntent): Promise<boolean> {
  try {
    for (const agent of agentIds) {
      await workflow.authority.call(removeMaintainer, { repoId: workflow.repo.id, agent });
    }
    return true;
  } catch (error) {
    if (isSwarmError(error, 'not_allowed')) return false;
    throw error;
  }
}
