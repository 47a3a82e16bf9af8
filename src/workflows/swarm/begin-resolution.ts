import { isSwarmError } from '../../contract/errors.ts';
import type { Stream } from '../../contract/streams.ts';
import { resolveStream } from '../resolve-stream.ts';
import type { Workflow } from '../workflow.ts';

/**
 * Merges what a stream conflicts with into its worktree and answers the files in conflict. None: nothing clashes any
 * more, because the author or somebody else has merged it already.
 */
export async function beginResolution(workflow: Workflow, stream: Stream): Promise<string[]> {
  try {
    const begun = await resolveStream(workflow, { stream: stream.id });
    return begun.kind === 'open' ? begun.files.map((file) => file.path) : [];
  } catch (error) {
    if (isSwarmError(error, 'wrong_state')) return [];
    throw error;
  }
}
