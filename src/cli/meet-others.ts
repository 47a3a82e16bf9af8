import { plainLine } from '../base/plain-text.ts';
import { branchRef } from '../git/ref-name.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { withQueue } from '../workflows/queue-lock.ts';
import { meetShared } from '../workflows/shared/fetch-shared.ts';
import { pushStreams, pushTags } from '../workflows/shared/push-shared.ts';
import { targetTip, type Workflow } from '../workflows/workflow.ts';
import { streamHandle } from './keep-in-step.ts';

/**
 * What the other clones have published comes here, and what is only here goes there. A buffer that is nowhere yet begins
 * at the target.
 */
export async function meetOthers(workflow: Workflow): Promise<void> {
  const { shared, git, repo } = workflow;
  if (!shared) return;
  await withQueue(workflow, async () => {
    await meetShared(workflow);
    const ref = branchRef(repo.bufferBranch);
    if ((await findRef(git, ref)) !== undefined) return;
    await updateRefs(git, [{ ref, old: null, new: await targetTip(workflow) }], 'gitswarm: connect');
    await meetShared(workflow);
  });
  await pushTags(workflow);
  const { failed } = await pushStreams(workflow);
  for (const { streamId, why } of failed)
    workflow.notify(`${streamHandle(streamId)} was not published: ${plainLine(why)}`);
}
