import { isAbsolute, join, resolve } from 'node:path';
import { isoTime } from '../base/clock.ts';
import { handleHash } from '../base/handles.ts';
import { newId } from '../base/ids.ts';
import { unlessAway } from '../contract/authority-away.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { listMerges } from '../contract/merges.ts';
import { abandonStream, createStream, recordHead, type Stream, showStream } from '../contract/streams.ts';
import { showTask, type Task } from '../contract/tasks.ts';
import { slugOf } from '../domain/agents/agent-names.ts';
import { listCommits } from '../git/commits.ts';
import { isRefName } from '../git/ref-name.ts';
import { findRef, resolveCommit } from '../git/refs.ts';
import { requireHistory } from '../git/repository.ts';
import { reapply } from '../git/revert.ts';
import { allowSparse } from '../git/sparse.ts';
import { fillWorktree, registerWorktree } from '../git/worktrees.ts';
import { finishIntent } from '../machine/intents.ts';
import { withLock } from '../machine/locks.ts';
import { insertWorkspace } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { copyIgnored } from './checkout-pool.ts';
import { measureFacts, standingHead } from './facts.ts';
import { openStreams } from './predict-conflicts.ts';
import { removeHalfMade } from './remove-worktree.ts';
import { runSetup } from './run-checks.ts';
import { fetchShared } from './shared/fetch-shared.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';
import { intendWorkspace, isTakenPath } from './workspace-intent.ts';

export interface WorkspaceRequest {
  task?: string | undefined;
  dependsOn?: string | undefined;
  name?: string | undefined;
  base?: string | undefined;
  /** Files and folders the work will touch, besides those of the task: whoever else touches them is named. */
  paths?: string[] | undefined;
  /** The directory of the worktree. */
  path?: string | undefined;
}

export interface NewWorkspace {
  stream: Stream;
  path: string;
  task: Task | null;
  /** Open streams that touch the paths of the task. */
  overlaps: { streamId: string; handle: string; name: string; paths: string[] }[];
  copied: string[];
  setup: { ran: boolean; ok: boolean; output: string } | null;
}

const LOCK_WAIT_MS = 120_000;

/**
 * Makes a stream and a worktree for it: from the buffer, from another stream's head, or, for the repair of a reverted
 * stream, from the buffer with the reverted changes applied again. Safe to run many times at once.
 */
export async function createWorkspace(workflow: Workflow, request: WorkspaceRequest): Promise<NewWorkspace> {
  const actor = actorOf(workflow);
  requireHistory(workflow.git);
  const task = request.task ? await workflow.authority.call(showTask, { task: request.task }) : null;
  await lookAround(workflow);
  const start = await startOf(workflow, request, task);
  const id = newId(workflow.clock.now());
  const branch = `stream/${id}`;
  const { intent, data } = intendWorkspace(workflow, () => ({
    streamId: id,
    branch,
    path: choosePath(workflow, actor.name, id, request.path),
    commit: start.head,
  }));
  const { path } = data;
  workflow.reach('workspace.intended');
  const paths = [...new Set([...(task?.paths ?? []), ...(request.paths ?? [])])];
  let stream: Stream | undefined;
  try {
    stream = await workflow.authority.call(createStream, {
      repoId: workflow.repo.id,
      id,
      name: request.name,
      task: task?.id,
      parent: start.parent?.id,
      revertOf: start.revertOf,
      baseBranch: start.baseBranch,
      baseCommit: start.base,
      head: start.base,
      paths,
    });
    workflow.reach('workspace.recorded');
    const isSparse = await withLock(
      workflow.home,
      'worktrees',
      async () => {
        await registerWorktree(workflow.git, { path, branch, oid: start.head });
        const isWanted = workflow.repo.config.workspace.sparse && paths.length > 0;
        return isWanted && (await allowSparse(workflow.git));
      },
      { waitMs: LOCK_WAIT_MS },
    );
    workflow.reach('workspace.registered');
    await fillWorktree(workflow.git, { path, sparsePaths: isSparse ? paths : undefined });
    workflow.reach('workspace.filled');
  } catch (error) {
    await removeHalfMade(workflow, data);
    if (stream)
      await workflow.authority.call(abandonStream, { stream: id, reason: 'its workspace could not be made' });
    finishIntent(workflow.machine, intent);
    throw error;
  }
  insertWorkspace(workflow.machine, {
    stream_id: id,
    path,
    agent_id: actor.id,
    branch,
    synced_oid: start.head,
    created_at: isoTime(workflow.clock.now()),
  });
  workflow.reach('workspace.kept');
  finishIntent(workflow.machine, intent);
  if (start.head !== start.base) {
    const facts = await measureFacts(workflow, start.head, [start.base]);
    stream = await workflow.authority.call(recordHead, { stream: id, facts, cause: 'commit' });
  }
  const copied = copyIgnored(workflow, path);
  const setup = await runSetup(workflow, path, id);
  return { stream, path, task, overlaps: await overlaps(workflow, stream, task), copied, setup };
}

/** Work should begin on what the others have landed; where that cannot be had it begins on what is here. */
async function lookAround(workflow: Workflow): Promise<void> {
  try {
    const { buffer } = await fetchShared(workflow);
    if (buffer !== 'diverged') return;
    workflow.notify(
      `${workflow.repo.bufferBranch} diverged from the remote's; the workspace begins on what is here.`,
    );
  } catch (error) {
    if (!isSwarmError(error, 'unavailable') && !isSwarmError(error, 'target_checked_out')) throw error;
    workflow.notify(`${error.message} The workspace begins on what is here.`);
  }
}

interface Start {
  /** Where the stream's own commits begin. */
  base: string;
  /** Where the branch starts: the base, or the re-applied commits on it. */
  head: string;
  baseBranch: string;
  parent: Stream | undefined;
  revertOf: string | undefined;
}

async function startOf(workflow: Workflow, request: WorkspaceRequest, task: Task | null): Promise<Start> {
  if (request.dependsOn) {
    const parent = await adoptBranch(
      workflow,
      await workflow.authority.call(showStream, { stream: request.dependsOn }),
    );
    const head = await standingHead(workflow, parent);
    return { base: head, head, baseBranch: parent.branch, parent, revertOf: undefined };
  }
  if (request.base) {
    const base = await resolveCommit(workflow.git, request.base);
    if (!base) throw new SwarmError('not_found', `There is no branch or commit "${request.base}".`);
    // A commit or an expression is a start like any other, but no branch that the stream could follow.
    const isBranch =
      isRefName(`refs/heads/${request.base}`) && (await findRef(workflow.git, `refs/heads/${request.base}`));
    const baseBranch = isBranch ? request.base : workflow.repo.bufferBranch;
    return { base, head: base, baseBranch, parent: undefined, revertOf: undefined };
  }
  const base = await bufferTip(workflow);
  const plain = { base, head: base, baseBranch: workflow.repo.bufferBranch, parent: undefined };
  if (!task?.revertOfStreamId) return { ...plain, revertOf: undefined };
  const head = await reapplied(workflow, task.revertOfStreamId, base);
  return { ...plain, head: head ?? base, revertOf: task.revertOfStreamId };
}

/** The reverted changes on the tip again, with their Change-Ids; undefined where they clash with what landed since. */
async function reapplied(workflow: Workflow, streamId: string, tip: string): Promise<string | undefined> {
  const reverted = await workflow.authority.call(showStream, { stream: streamId });
  const landing = await lastLanding(workflow, reverted);
  if (!landing?.bufferBefore) return undefined;
  const commits = await listCommits(workflow.git, { from: landing.head, notIn: [landing.bufferBefore] });
  const own = commits.filter((commit) => commit.parents.length === 1).map((commit) => commit.oid);
  const result = await reapply(workflow.git, { tip, commits: own });
  if (result.kind === 'rebased') return result.head;
  workflow.notify(
    `the reverted changes clash with ${workflow.repo.bufferBranch}: start from its tip and redo them`,
  );
  return undefined;
}

async function lastLanding(workflow: Workflow, stream: Stream) {
  const { items } = await workflow.authority.call(listMerges, {
    repoId: workflow.repo.id,
    stream: stream.id,
    limit: 50,
  });
  return items.find(
    (merge) => merge.kind === 'stream' && (merge.state === 'reverted' || merge.state === 'landed'),
  );
}

/** `.worktrees/<agent>`, and `…-<handle>` for an agent's further ones; where `workspace.path` says, if it does. */
function choosePath(workflow: Workflow, agentName: string, id: string, asked: string | undefined): string {
  if (asked) {
    const path = resolve(asked);
    if (isTakenPath(workflow, path))
      throw new SwarmError('already_exists', `${path} exists already, or is being made.`, {
        fix: 'Choose another place: --at <dir>.',
      });
    return path;
  }
  const configured = workflow.repo.config.workspace.path;
  const folder = configured
    ? isAbsolute(configured)
      ? configured
      : join(workflow.git.root, configured)
    : workflow.worktrees;
  const first = join(folder, slugOf(agentName));
  return isTakenPath(workflow, first) ? `${first}-${handleHash(id).slice(0, 6)}` : first;
}

async function overlaps(
  workflow: Workflow,
  stream: Stream,
  task: Task | null,
): Promise<NewWorkspace['overlaps']> {
  const paths = [...(task?.paths ?? []), ...stream.paths];
  if (paths.length === 0) return [];
  return (await unlessAway(openStreams(workflow), []))
    .filter((other) => other.id !== stream.id && overlap(other.paths, paths))
    .map((other) => ({
      streamId: other.id,
      handle: other.handle,
      name: other.name,
      paths: other.paths.slice(0, 20),
    }));
}

/** Paths meet when they are the same, or one is a directory above the other. */
function overlap(a: string[], b: string[]): boolean {
  const [small, large] = a.length < b.length ? [a, b] : [b, a];
  const set = new Set(large);
  const parents = new Set(large.flatMap(ancestors));
  return small.some(
    (path) => set.has(path) || parents.has(path) || ancestors(path).some((dir) => set.has(dir)),
  );
}

function ancestors(path: string): string[] {
  const parts = path.replace(/\/$/, '').split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}
