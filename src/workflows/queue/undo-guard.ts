import { SwarmError } from '../../contract/errors.ts';
import { readCommit } from '../../git/commits.ts';
import { declaresUndo, undoneChanges } from '../../git/undone-changes.ts';
import type { Queued } from '../compose-for.ts';
import type { Workflow } from '../workflow.ts';

/**
 * Why a stream may not land: it would silently take back what others landed, as the commit of an old checkout on a new
 * base does, and the tests stay green because code and tests vanish together. Undefined where it takes back nothing, or
 * says so: a revert, a forced landing, a commit whose message begins with "Revert".
 */
export async function silentUndo(
  workflow: Workflow,
  { merge, stream }: Queued,
): Promise<SwarmError | undefined> {
  if (!stream || merge.forced || stream.revertOfStreamId !== null) return undefined;
  const { git } = workflow;
  const range = { base: stream.baseCommit, head: merge.head };
  const [undone] = await undoneChanges(git, range);
  if (!undone || (await declaresUndo(git, range))) return undefined;
  const landed = await readCommit(git, undone.commit);
  const what = landed.message.split('\n')[0] ?? '';
  const files = undone.paths.slice(0, 5).join(', ');
  return new SwarmError(
    'gate_not_met',
    `Stream ${stream.handle} would take back "${what}" (${undone.commit.slice(0, 10)}) in ${files}, and does not say so.`,
    {
      fix: `git checkout ${stream.baseCommit.slice(0, 10)} -- ${undone.paths[0] ?? ''} in its workspace and commit; or say it: gitswarm commit -m "Revert …"`,
      details: { commit: undone.commit, paths: undone.paths },
    },
  );
}
