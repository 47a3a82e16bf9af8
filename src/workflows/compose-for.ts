import type { Merge } from '../contract/merges.ts';
import type { Stream } from '../contract/streams.ts';
import { type Compose, composeStream } from './land.ts';
import { composeIntake, composeRevert } from './plain-landings.ts';
import type { Workflow } from './workflow.ts';

/** A landing in the queue, with its stream where one stands behind it. */
export interface Queued {
  merge: Merge;
  stream: Stream | null;
}

/** How the commit of a landing is made, by its kind. */
export function composeFor(workflow: Workflow, { merge, stream }: Queued): Compose {
  if (merge.kind === 'revert') return composeRevert(workflow, merge);
  if (merge.kind === 'intake' || !stream) return composeIntake(workflow, merge);
  return composeStream(workflow, merge, stream);
}
