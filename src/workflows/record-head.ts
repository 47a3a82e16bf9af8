import { retry } from '../base/retry.ts';
import type { InputOf } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { recordHead, type Stream } from '../contract/streams.ts';
import type { Workflow } from './workflow.ts';

/** With the pauses of `retry` a few seconds: a landing is a commit in memory, one moved ref and two small writes. */
const TRIES = 14;

/**
 * Records what git says of a stream now. Its own landing, which somebody else may be at just now, is waited for;
 * throws busy only where that does not end.
 */
export async function recordHeadOf(workflow: Workflow, head: InputOf<typeof recordHead>): Promise<Stream> {
  const recorded = await retry<Stream>(TRIES, async () => {
    try {
      return await workflow.authority.call(recordHead, head);
    } catch (error) {
      if (isLanding(error)) return 'again';
      throw error;
    }
  });
  return recorded ?? workflow.authority.call(recordHead, head);
}

/** Another `busy`, of a database or a server, has been waited for where it arose. */
function isLanding(error: unknown): boolean {
  return isSwarmError(error, 'busy') && error.details?.mergeId !== undefined;
}
