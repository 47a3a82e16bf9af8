import { SwarmError } from '../contract/errors.ts';
import type { Stream } from '../contract/streams.ts';
import { type MergeResult, mergeStream } from './merge-stream.ts';
import type { Workflow } from './workflow.ts';

/** What became of a commit's landing. */
export type LandingAtOnce = MergeResult | { kind: 'refused'; error: SwarmError };

/** Swarm mode: what does not land now stays committed, and the next commit or `merge` tries again. */
export async function landAtOnce(workflow: Workflow, stream: Stream): Promise<LandingAtOnce> {
  try {
    return await mergeStream(workflow, stream.id);
  } catch (error) {
    // The commit is made, whatever keeps it from landing now.
    if (error instanceof SwarmError && error.code !== 'internal') return { kind: 'refused', error };
    throw error;
  }
}
