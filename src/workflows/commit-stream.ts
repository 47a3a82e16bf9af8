import { SwarmError } from '../contract/errors.ts';
import { recordHead, showStream, type Stream } from '../contract/streams.ts';
import { changeIdOf, newChangeId } from '../git/change-id.ts';
import { commitWorktree } from '../git/commit-worktree.ts';
import { readCommit } from '../git/commits.ts';
import { findWorkspace, listWorkspaces, setSyncedOid } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { authorOf, committerOf } from './authorship.ts';
import { type CascadeReport, cascadeStreams } from './cascade-streams.ts';
import { measureStream } from './facts.ts';
import { mergeStream, type MergeResult } from './merge-stream.ts';
import { predictConflicts, type PredictedConflict } from './predict-conflicts.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface CommitRequest {
  message: string;
  stream: string;
  /** Relative to the top of the worktree. Default: everything git does not ignore. */
  paths?: string[] | undefined;
  allowEmpty?: boolean;
}

export interface CommitResult {
  /** Null where there was nothing to commit. */
  commit: string | null;
  changeId: string | null;
  stream: Stream;
  files: string[];
  conflictsWith: PredictedConflict[];
  merged: boolean;
  merge: MergeResult | { kind: 'refused'; error: SwarmError } | null;
  cascade: CascadeReport | null;
}

/**
 * Commits what is in a stream's worktree, as its author. Dependants follow; in swarm mode the commit lands at once,
 * and a conflict there keeps the commit.
 */
export async function commitStream(workflow: Workflow, request: CommitRequest): Promise<CommitResult> {
  const actor = actorOf(workflow);
  const found = await workflow.authority.call(showStream, { stream: request.stream });
  requireAuthor(found, actor);
  refuseClosed(found);
  const workspace = findWorkspace(workflow.machine, found.id);
  if (!workspace) {
    throw new SwarmError('not_found', `Stream ${found.handle} has no workspace on this machine.`, {
      fix: `gitswarm workspace restore ${found.handle}`,
    });
  }
  const before = await adoptBranch(workflow, found);
  const changeId = newChangeId();
  const made = await commitWorktree(workflow.git, workspace.path, {
    message: request.message,
    ...(request.paths ? { paths: request.paths } : {}),
    author: await authorOf(workflow, actor),
    committer: await committerOf(workflow),
    changeId,
    allowEmpty: request.allowEmpty ?? false,
    expectBranch: before.branch,
    ...(before.state === 'conflicted' ? { concludes: 'merge' as const } : {}),
  });
  workflow.reach('commit.made');
  if (made.kind === 'hook_failed') {
    throw new SwarmError('command_failed', `A hook of the repository refused the commit:\n${made.output}`, {
      fix: 'Mend what the hook asks for and commit again; nothing was lost.',
    });
  }
  if (made.kind === 'nothing' && before.head === found.head) return nothing(before);
  const committed = made.kind === 'committed' ? made.commit : before.head;
  const facts = await measureStream(workflow, before);
  const stream =
    made.kind === 'committed'
      ? await workflow.authority.call(recordHead, {
          stream: before.id,
          facts,
          cause: before.state === 'conflicted' ? 'resolved' : 'commit',
          expectHead: before.head,
        })
      : before;
  workflow.reach('commit.recorded');
  setSyncedOid(workflow.machine, stream.id, stream.head);
  const cascade = await cascadeStreams(workflow, { id: stream.id, oldHead: found.head, newHead: stream.head });
  const landing = workflow.repo.mergeMode === 'swarm' ? await landAtOnce(workflow, stream) : null;
  const conflictsWith =
    landing?.kind === 'merged'
      ? []
      : await predictConflicts(workflow, { streamId: stream.id, head: stream.head, paths: facts.paths });
  return {
    commit: committed,
    changeId: changeIdOf((await readCommit(workflow.git, committed)).message) ?? changeId,
    stream: landing ? await workflow.authority.call(showStream, { stream: stream.id }) : stream,
    files: made.kind === 'committed' ? made.files : facts.paths,
    conflictsWith,
    merged: landing?.kind === 'merged',
    merge: landing,
    cascade,
  };
}

/** Swarm mode: what does not land now stays committed, and the next commit or `merge` tries again. */
async function landAtOnce(workflow: Workflow, stream: Stream): Promise<NonNullable<CommitResult['merge']>> {
  try {
    return await mergeStream(workflow, stream.id);
  } catch (error) {
    if (error instanceof SwarmError && error.code === 'gate_not_met') return { kind: 'refused', error };
    throw error;
  }
}

/** Only its author, or someone the author added, commits on a stream. */
export function requireAuthor(stream: Stream, actor: { id: string; name: string }): void {
  if (stream.authorId === actor.id || stream.coAuthorIds.includes(actor.id)) return;
  throw new SwarmError('not_allowed', `Stream ${stream.handle} is ${stream.authorName}'s; ${actor.name} cannot commit on it.`, {
    fix: `gitswarm commit --as ${stream.authorName}, or build on it: gitswarm workspace create --depends-on ${stream.handle}`,
  });
}

function refuseClosed(stream: Stream): void {
  if (stream.state !== 'merged' && stream.state !== 'abandoned' && stream.state !== 'paused') return;
  const fix = {
    merged: 'gitswarm workspace create',
    abandoned: `gitswarm workspace restore ${stream.handle}`,
    paused: `gitswarm stream resume ${stream.handle}`,
  };
  throw new SwarmError('wrong_state', `Stream ${stream.handle} is ${stream.state}: it takes no commits.`, {
    fix: fix[stream.state],
  });
}

function nothing(stream: Stream): CommitResult {
  return {
    commit: null,
    changeId: null,
    stream,
    files: [],
    conflictsWith: [],
    merged: false,
    merge: null,
    cascade: null,
  };
}

/** The stream an agent means without naming one: that of the only workspace it has. */
export function onlyWorkspaceOf(workflow: Workflow, agentId: string): string | undefined {
  const own = listWorkspaces(workflow.machine).filter((workspace) => workspace.agent_id === agentId);
  return own.length === 1 ? own[0]?.stream_id : undefined;
}
