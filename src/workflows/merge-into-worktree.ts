import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { isAncestor } from '../git/commits.ts';
import { committerEnv } from '../git/person.ts';
import { runGit } from '../git/run-git.ts';
import { type Before, forgetBefore, setAside } from '../git/set-aside.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { committerOf } from './authorship.ts';
import { standingHead } from './facts.ts';
import { goBack, type ResolutionPlace, saveForResolution } from './resolution-place.ts';
import { bufferTip, type Workflow } from './workflow.ts';

const MERGE = ['merge', '--no-commit', '--no-ff', '--no-edit', '--no-stat', '--quiet', '--no-autostash'];

/**
 * Begins the merge in which a stream's conflict is resolved, as git would in its worktree, without the hooks. Undefined
 * where nothing is to be merged; one that git cannot begin leaves everything as it was.
 */
export async function mergeIntoWorktree(
  workflow: Workflow,
  place: ResolutionPlace,
): Promise<Before | undefined> {
  const { stream, path } = place;
  // Interrupted, or given up with plain git: what was set aside then is part of what is set aside now.
  if (place.before) await goBack(workflow, { stream, path, before: place.before }, 'before resolving again');
  const head = await readyHead(workflow, place);
  const onto = await ontoOf(workflow, stream);
  if (await isAncestor(workflow.git, onto, head)) return undefined;
  const snapshot = await saveForResolution(workflow, place, 'before resolving');
  const before = { head, onto, snapshot };
  workflow.reach('resolve.saved');
  await setAside(workflow.git, path, before).catch((error: unknown) => {
    forgetBefore(path);
    throw error;
  });
  workflow.reach('resolve.set_aside');
  try {
    const env = committerEnv(await committerOf(workflow));
    await runGit(workflow.git, [...MERGE, '--', onto], { cwd: path, okExits: [0, 1], env });
  } catch (error) {
    await goBack(workflow, { stream, path, before }, 'after a merge that failed');
    throw error;
  }
  workflow.reach('resolve.merged');
  return before;
}

/** The commit the worktree stands on, with nothing begun in it. */
async function readyHead(workflow: Workflow, { stream, path }: ResolutionPlace): Promise<string> {
  const { head, inProgress, indexLocked } = await worktreeStatus(workflow.git, path);
  if (inProgress !== undefined) {
    const ends = `gitswarm stream resolve ${stream.handle} --continue, or git -C ${shellWord(path)} merge --abort`;
    throw new SwarmError('wrong_state', `A ${inProgress} was begun in ${path} and is not finished.`, {
      fix: inProgress === 'merge' ? ends : `git -C ${shellWord(path)} status`,
    });
  }
  if (indexLocked) throw new SwarmError('busy', `Another git is at work in ${path}.`, { fix: 'Try again.' });
  if (head !== undefined) return head;
  throw new SwarmError('unborn_branch', `The branch in ${path} has no commits.`);
}

/** The newest state of what it clashed with: what is resolved against an older one would clash again. */
async function ontoOf(workflow: Workflow, stream: Stream): Promise<string> {
  if (stream.conflict?.with === 'stream') return stream.conflict.onto;
  if (stream.conflict?.with === 'buffer' || !stream.parentStreamId) return bufferTip(workflow);
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  if (parent.state === 'merged') return bufferTip(workflow);
  return standingHead(workflow, parent);
}
