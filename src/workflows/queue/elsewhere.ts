import { isSwarmError, type SwarmError } from '../../contract/errors.ts';
import type { Queued } from '../compose-for.ts';
import { bringCommit } from '../shared/bring-stream.ts';
import { isHere } from '../shared/shared-refs.ts';
import type { Workflow } from '../workflow.ts';

/** Why a landing waits whose commit only another machine has. */
export const NOT_PUSHED = "its author's machine has not pushed it yet";

/** True where the commit that is to land is here, or can be fetched. One that cannot waits and keeps nobody else. */
export async function isBrought(workflow: Workflow, { merge, stream }: Queued): Promise<boolean> {
  if (await isHere(workflow, merge.head)) return true;
  if (!stream) return false;
  try {
    return await bringCommit(workflow, stream.branch, merge.head);
  } catch (error) {
    if (isSwarmError(error, 'unavailable')) return false;
    throw error;
  }
}

/** Why a landing is left alone that the driver of another clone has begun or done meanwhile. */
export const LANDED_ELSEWHERE = 'another machine lands it';

/**
 * True where preparing a landing was refused because the process of another machine is at it, or was quicker. Whoever
 * ended it then would say of a commit that is on the buffer that it was refused.
 */
export function isElsewhere(workflow: Workflow, error: SwarmError): boolean {
  const { state, holder } = error.details ?? {};
  const isTaken = state === 'prepared' || state === 'landed';
  return workflow.shared !== undefined && error.code === 'conflict' && isTaken && holder !== workflow.holder;
}
