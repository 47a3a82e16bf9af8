import { plain, plainLine } from '../../base/plain-text.ts';
import { shellWord } from '../../base/shell-word.ts';
import { withoutPassword } from '../../base/without-password.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import { type GitResult, type RunOptions, runGit } from '../../git/run-git.ts';
import type { Workflow } from '../workflow.ts';

/** Asking where the remote's branches are is a short exchange, in milliseconds. */
export const ASK_MS = 60_000;
/** What is sent or fetched may be large, but a permit to land lasts ten minutes, and its holder may need both. */
export const SEND_MS = 4 * 60_000;

type Place = Pick<Workflow, 'git' | 'shared' | 'signal'>;

/** Runs git where it talks to the remote. Throws unavailable with git's own words where that does not come about. */
export async function callRemote(
  workflow: Place,
  args: readonly string[],
  options: Pick<RunOptions, 'input' | 'okExits'> & { timeoutMs: number },
): Promise<GitResult> {
  const { signal } = workflow;
  try {
    return await runGit(workflow.git, args, { ...options, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (!isSwarmError(error, 'git_failed') && !isSwarmError(error, 'timed_out')) throw error;
    throw unreachable(workflow, error);
  }
}

function unreachable(workflow: Place, error: SwarmError): SwarmError {
  const remote = workflow.shared?.remote ?? '';
  const words = plain(withoutPassword(String(error.details?.output ?? error.message))).slice(0, 2000);
  const [first = ''] = words.split('\n');
  // Not as its cause: the words of that error have the address as it stands in the settings.
  return new SwarmError('unavailable', `The remote ${remote} cannot be reached: ${plainLine(first)}`, {
    fix: `Look what git says: git ls-remote ${shellWord(remote)}`,
    details: { remote, output: words },
  });
}
