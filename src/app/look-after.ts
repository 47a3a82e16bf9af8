import { type Agent, showAgent } from '../contract/agents.ts';
import { isSwarmError } from '../contract/errors.ts';
import { showClone } from '../contract/hosting.ts';
import { listQueue } from '../contract/merges.ts';
import { carrierOf } from '../workflows/carrier-of.ts';
import { carryOutProposals } from '../workflows/carry-out-proposal.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import { intendPushes, pushUnpushed } from '../workflows/hosted/push-hosted.ts';
import { actingAs, type Workflow } from '../workflows/workflow.ts';

/**
 * Tells the remote of a clone at the server what it has missed, where that is due. The workflow acts
 * as the server. Throws busy where that is being done.
 */
export async function pushDue(workflow: Workflow): Promise<void> {
  const { unpushed } = await workflow.authority.call(showClone, { repoId: workflow.repo.id });
  const now = workflow.clock.now();
  if (unpushed.some((each) => Date.parse(each.nextAttemptAt) <= now))
    await pushUnpushed(workflow, { waitMs: 0 });
}

/**
 * Goes on with landings that a server which died had begun: each in the name of whoever asked for it, through the gate
 * once more. What may not land any more stays in the queue or leaves it, as for everybody. Whoever died had no time to
 * note that the remote is to have what landed.
 */
export async function goOnLanding(workflow: Workflow): Promise<void> {
  await driveFor(workflow);
  await intendPushes(workflow, { tags: true });
}

async function driveFor(workflow: Workflow): Promise<void> {
  const { items } = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  const [first] = items;
  if (!first) return;
  const asker = await workflow.authority.call(showAgent, { agent: first.merge.requestedBy });
  try {
    await driveQueue(actingAs(workflow, asker));
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    workflow.notify(`the queue was not driven: ${error.message}`);
  }
}

/**
 * Carries out what the council has decided, each decision in the name of somebody who voted for it, as if they had sat
 * down to do so; answers whether there was one. What the remote is to have then is noted, whatever came of it: the queue
 * was driven. The workflow acts as the server; `as` gives that of somebody else.
 */
export async function carryOutDecided(
  workflow: Workflow,
  as: (actor: Agent) => Promise<Workflow>,
): Promise<boolean> {
  let isAny = false;
  await carryOutProposals(workflow, async (proposal) => {
    isAny = true;
    return as(await carrierOf(workflow, proposal));
  });
  if (isAny) await intendPushes(workflow, { tags: true });
  return isAny;
}
