import { resolve } from 'node:path';
import { showStream } from '../contract/streams.ts';
import type { Head } from '../git/head.ts';
import { listWorkspaces } from '../machine/workspaces.ts';
import { isAuthor } from './stream-rights.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** Why workplans cannot be committed in this checkout, in words for a person; undefined where they can. */
export async function whyNoCommit(
  workflow: Workflow,
  { worktree, head }: { worktree: string; head: Head },
): Promise<string | undefined> {
  if (head.kind === 'detached') return 'HEAD is detached: switch to a branch first';
  if (head.kind === 'unborn') return `${head.branch} has no commit yet`;
  if (head.branch === workflow.repo.bufferBranch) {
    return `${head.branch} is the buffer, which only landings move: switch to another branch`;
  }
  const workspace = listWorkspaces(workflow.machine).find((each) => resolve(each.path) === resolve(worktree));
  if (!workspace) return undefined;
  const stream = await workflow.authority.call(showStream, { stream: workspace.stream_id });
  if (isAuthor(stream, actorOf(workflow))) return undefined;
  return `this is the workspace of ${stream.authorName}, who alone commits on ${stream.handle}`;
}
