import { plainLine } from '../base/plain-text.ts';
import { withQueue } from '../workflows/queue-lock.ts';
import { meetShared } from '../workflows/shared/fetch-shared.ts';
import { pushStreams } from '../workflows/shared/push-shared.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { streamHandle } from './keep-in-step.ts';

/** What the other clones have published comes here, and what is only here goes there. */
export async function meetOthers(workflow: Workflow): Promise<void> {
  if (!workflow.shared) return;
  await withQueue(workflow, () => meetShared(workflow));
  const { failed } = await pushStreams(workflow);
  for (const { streamId, why } of failed)
    workflow.notify(`${streamHandle(streamId)} was not published: ${plainLine(why)}`);
}
