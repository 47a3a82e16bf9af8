import { showClone } from '../contract/hosting.ts';
import { intendPushes, pushUnpushed } from '../workflows/hosted/push-hosted.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { Face } from './face.ts';

/**
 * Sends what has landed to the remote, without letting anybody wait for it. It is noted first, so that a remote that is
 * away, or a server that dies, loses nothing: what is left is tried again.
 */
export function pushSoon(face: Face, workflow: Workflow, which: { tags: boolean }): void {
  face.inBackground(async (signal) => {
    const { cloneUrl } = await workflow.authority.call(showClone, { repoId: workflow.repo.id });
    if (cloneUrl === null) return;
    await intendPushes(workflow, which);
    await pushUnpushed({ ...workflow, signal });
  });
}
