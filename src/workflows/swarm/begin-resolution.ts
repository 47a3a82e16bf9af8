import { showStream, type Stream } from '../../contract/streams.ts';
import { committerEnv } from '../../git/person.ts';
import { resolveCommit } from '../../git/refs.ts';
import { runGit } from '../../git/run-git.ts';
import { worktreeStatus } from '../../git/worktree-files.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { committerOf } from '../authorship.ts';
import { takeSnapshot } from '../destroy-workspace.ts';
import { bufferTip, type Workflow } from '../workflow.ts';

/**
 * Merges what a stream conflicts with into its worktree, after a snapshot, and leaves markers and git's unmerged
 * entries there. Answers the files in conflict; one that was begun before is gone on with.
 */
export async function beginResolution(workflow: Workflow, stream: Stream): Promise<string[]> {
  const path = findWorkspace(workflow.machine, stream.id)?.path;
  if (path === undefined) return [];
  const before = await worktreeStatus(workflow.git, path);
  if (before.inProgress === 'merge') return before.unmerged;
  await takeSnapshot(workflow, stream, path, 'before its conflict was resolved');
  const other = await otherSide(workflow, stream);
  await runGit(workflow.git, ['merge', '--no-commit', '--no-ff', '--quiet', '--no-edit', other], {
    cwd: path,
    env: committerEnv(await committerOf(workflow)),
    okExits: [0, 1],
  });
  return (await worktreeStatus(workflow.git, path)).unmerged;
}

/** The buffer as it is now, which holds what clashed; a parent's head where the conflict is with the parent. */
async function otherSide(workflow: Workflow, stream: Stream): Promise<string> {
  if (stream.conflict?.with !== 'parent' || !stream.parentStreamId) return bufferTip(workflow);
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  return (await resolveCommit(workflow.git, `refs/heads/${parent.branch}`)) ?? stream.conflict.onto;
}
