import { isoTime } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import { createStream, type Stream } from '../contract/streams.ts';
import { checkedOutRefs } from '../git/checkouts.ts';
import { mergeBase } from '../git/commits.ts';
import { branchRef } from '../git/ref-name.ts';
import { findRef } from '../git/refs.ts';
import { requireHistory } from '../git/repository.ts';
import { insertWorkspace } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { claimHome } from './shared/at-home.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';

/**
 * Takes a branch that exists in as a stream: it keeps its name and is reviewed, landed, built on and rebased like any
 * other. Where it is checked out, that checkout is its workspace; none is made.
 */
export async function trackBranch(
  workflow: Workflow,
  request: {
    branch: string;
    name?: string | undefined;
    task?: string | undefined;
    parent?: string | undefined;
  },
): Promise<{ stream: Stream; path: string | null }> {
  const actor = actorOf(workflow);
  requireHistory(workflow.git);
  const branch = request.branch.replace(/^refs\/heads\//, '');
  const ref = branchRef(branch);
  const { repo, git } = workflow;
  if (branch === repo.bufferBranch || branch === repo.promoteTarget) {
    throw new SwarmError('conflict', `${branch} is where streams land; it cannot be one itself.`, {
      fix: 'Name a branch of work.',
    });
  }
  const head = await findRef(git, ref);
  if (head === undefined)
    throw new SwarmError('not_found', `There is no branch "${branch}".`, { fix: 'git branch --list' });
  const base = await mergeBase(git, head, await bufferTip(workflow));
  if (base === undefined) {
    throw new SwarmError('conflict', `${branch} shares no history with ${repo.bufferBranch}.`);
  }
  const recorded = await workflow.authority.call(createStream, {
    repoId: repo.id,
    id: newId(workflow.clock.now()),
    name: request.name ?? branch,
    branch,
    task: request.task,
    parent: request.parent,
    baseBranch: repo.bufferBranch,
    baseCommit: base,
    head: base,
    source: 'tracked',
  });
  workflow.reach('track.recorded');
  await claimHome(workflow, recorded);
  const path = (await checkedOutRefs(git, new Set([ref]))).get(ref) ?? null;
  const stream = await adoptBranch(workflow, recorded);
  if (path !== null) {
    insertWorkspace(workflow.machine, {
      stream_id: stream.id,
      path,
      agent_id: actor.id,
      branch,
      synced_oid: stream.head,
      created_at: isoTime(workflow.clock.now()),
    });
  }
  return { stream, path };
}
