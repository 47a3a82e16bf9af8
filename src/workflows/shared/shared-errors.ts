import { shellWord } from '../../base/shell-word.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Stream } from '../../contract/streams.ts';
import type { MoveResult } from '../../git/move-checkout.ts';
import type { Workflow } from '../workflow.ts';

/** Both have what the other lacks; neither is thrown away by us. */
export function diverged(
  workflow: Workflow,
  branch: string,
  { local, seen }: { local: string; seen: string },
): SwarmError {
  const remote = remoteName(workflow);
  const [here, there] = [local.slice(0, 10), seen.slice(0, 10)];
  return new SwarmError(
    'conflict',
    `${branch} diverged: it is at ${here} here and at ${there} in ${remote}, and neither holds the other.`,
    {
      fix: `Keep what is only here (git branch kept-${here} ${here}), take theirs (git branch -f ${shellWord(branch)} ${there}, or git reset --keep ${there} where it is checked out), and bring the kept commits in as a stream: gitswarm stream track kept-${here}`,
      details: { branch, local, shared: seen, remote },
    },
  );
}

/** An edit, or a merge that goes on, stands where the branch has to move. */
export function inTheWay(
  branch: string,
  { reason, files }: Extract<MoveResult, { kind: 'behind' }>,
): SwarmError {
  const named = files.length > 0 ? ` (${files.slice(0, 10).join(', ')})` : '';
  return new SwarmError(
    'target_checked_out',
    `The branch ${branch} is checked out and cannot follow the remote's: ${reason.replace('_', ' ')}${named}.`,
    {
      fix: 'Commit or stash the changes there, or check out another branch.',
      details: { branch, reason, files },
    },
  );
}

/** The remote answers, and says no: a protected branch, a hook, a right that is missing. */
export function refused(workflow: Workflow, branch: string, why: string): SwarmError {
  const remote = remoteName(workflow);
  return new SwarmError('unavailable', `The remote ${remote} does not take ${branch}: ${why}`, {
    fix: `Let this machine push ${branch} there; git push ${shellWord(remote)} ${shellWord(branch)} says what is missing.`,
    details: { remote, branch, output: why },
  });
}

/** Whoever has its newest commit has to say so: an older one would drop landings. */
export function goneThere(workflow: Workflow, branch: string): SwarmError {
  const remote = remoteName(workflow);
  return new SwarmError('conflict', `The branch ${branch} was deleted in ${remote}.`, {
    fix: `In the clone that has its newest commit: git push ${shellWord(remote)} ${shellWord(branch)}`,
    details: { remote, branch },
  });
}

/** A decision knows of a commit that has not come to the remote. */
export function notPushed(workflow: Workflow, stream: Stream): SwarmError {
  return new SwarmError(
    'unavailable',
    `The commit ${stream.head.slice(0, 10)} of stream ${stream.handle} is not here: its author's machine has not pushed it yet.`,
    {
      fix: "gitswarm sync on its author's machine",
      details: { remote: remoteName(workflow), branch: stream.branch, commit: stream.head },
    },
  );
}

function remoteName(workflow: Workflow): string {
  return workflow.shared?.remote ?? '';
}
