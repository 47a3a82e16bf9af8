import { shellWord } from '../base/shell-word.ts';
import type { Agent } from '../contract/agents.ts';
import { unlessAway } from '../contract/authority-away.ts';
import { SwarmError } from '../contract/errors.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { changeIdOf, newChangeId } from '../git/change-id.ts';
import { type CommitOutcome, commitWorktree } from '../git/commit-worktree.ts';
import { readCommit } from '../git/commits.ts';
import type { Person } from '../git/person.ts';
import { findBefore } from '../git/set-aside.ts';
import { findWorkspace, listWorkspaces, setSyncedOid } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { authorOf, committerOf } from './authorship.ts';
import { type CascadeReport, cascadeStreams } from './cascade-streams.ts';
import { measureStream } from './facts.ts';
import { type LandingAtOnce, landAtOnce } from './land-at-once.ts';
import { type PredictedConflict, predictConflicts } from './predict-conflicts.ts';
import { recordHeadOf } from './record-head.ts';
import { type GivenBack, giveBack } from './resolution-place.ts';
import { isAuthor, requireAuthorOrMaintainer } from './stream-rights.ts';
import { followParent } from './sync-worktree.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface CommitRequest {
  message: string;
  stream: string;
  /** Relative to the top of the worktree. Default: everything git does not ignore. */
  paths?: string[] | undefined;
  allowEmpty?: boolean;
  /** It concludes a merge in which the stream's conflict was resolved; maintainers may do that, too. */
  resolves?: boolean;
}

export interface CommitResult {
  /** Null where there was nothing to commit. */
  commit: string | null;
  changeId: string | null;
  stream: Stream;
  files: string[];
  conflictsWith: PredictedConflict[];
  merged: boolean;
  merge: LandingAtOnce | null;
  cascade: CascadeReport | null;
  /** What became of edits that were set aside while a conflict was resolved. */
  setAside: GivenBack;
}

/**
 * Commits what is in a stream's worktree, as its author. Dependants follow; in swarm mode the commit lands at once,
 * and a conflict there keeps the commit.
 */
export async function commitStream(workflow: Workflow, request: CommitRequest): Promise<CommitResult> {
  const actor = actorOf(workflow);
  const found = await workflow.authority.call(showStream, { stream: request.stream });
  if (request.resolves) await requireAuthorOrMaintainer(workflow, found);
  else requireAuthor(found, actor);
  refuseClosed(found);
  const workspace = findWorkspace(workflow.machine, found.id);
  if (!workspace) {
    throw new SwarmError('not_found', `Stream ${found.handle} has no workspace on this machine.`, {
      fix: `gitswarm workspace restore ${found.handle}`,
    });
  }
  const before = await adoptBranch(workflow, found);
  const isResolving = findBefore(workspace.path) !== undefined;
  const resolves = request.resolves === true || before.state === 'conflicted' || isResolving;
  const changeId = newChangeId();
  const made = await commitAs(workflow, actor, (people) =>
    commitWorktree(workflow.git, workspace.path, {
      message: request.message,
      ...(request.paths ? { paths: request.paths } : {}),
      ...people,
      changeId,
      allowEmpty: request.allowEmpty ?? false,
      expectBranch: before.branch,
      ...(resolves ? { concludes: 'merge' as const } : {}),
    }),
  );
  workflow.reach('commit.made');
  if (made.kind === 'hook_failed') {
    throw new SwarmError('command_failed', `A hook of the repository refused the commit:\n${made.output}`, {
      fix: 'Mend what the hook asks for and commit again; nothing was lost.',
    });
  }
  if (made.kind === 'nothing' && before.head === found.head) {
    return { ...nothing(before), setAside: isResolving ? await giveBack(workflow, workspace.path) : 'none' };
  }
  const facts = await measureStream(workflow, before);
  const recorded =
    made.kind === 'committed'
      ? await recordHeadOf(workflow, {
          stream: before.id,
          facts,
          cause: resolves ? 'resolved' : 'commit',
          expectHead: before.head,
        })
      : before;
  workflow.reach('commit.recorded');
  setSyncedOid(workflow.machine, recorded.id, recorded.head);
  const stream = await unlessAway(followParent(workflow, recorded), recorded);
  workflow.reach('commit.followed');
  // What builds on it, and what clashes with it, is seen to when the server can be asked.
  const cascade = await unlessAway(
    cascadeStreams(workflow, { id: stream.id, oldHead: found.head, newHead: stream.head }),
    null,
  );
  const landing = workflow.repo.mergeMode === 'swarm' ? await landAtOnce(workflow, stream) : null;
  const setAside = resolves ? await giveBack(workflow, workspace.path) : 'none';
  const conflictsWith =
    landing?.kind === 'merged'
      ? []
      : await unlessAway(
          predictConflicts(workflow, { streamId: stream.id, head: stream.head, base: stream.baseCommit }),
          [],
        );
  // Where the stream followed its parent, the commit is the one that stands for it there.
  const committed = stream.head;
  return {
    commit: committed,
    changeId: changeIdOf((await readCommit(workflow.git, committed)).message) ?? changeId,
    stream: landing ? await workflow.authority.call(showStream, { stream: stream.id }) : stream,
    files: made.kind === 'committed' ? made.files : facts.paths,
    conflictsWith,
    merged: landing?.kind === 'merged',
    merge: landing,
    cascade,
    setAside,
  };
}

/** People, and the committer, are left to git, which knows them; where it does not, they are named and asked again. */
async function commitAs(
  workflow: Workflow,
  actor: Agent,
  commit: (people: { author?: Person; committer?: Person }) => Promise<CommitOutcome>,
): Promise<Exclude<CommitOutcome, { kind: 'nobody' }>> {
  const made = await commit(actor.kind === 'human' ? {} : { author: await authorOf(workflow, actor) });
  if (made.kind !== 'nobody') return made;
  const named = { author: await authorOf(workflow, actor), committer: await committerOf(workflow) };
  const again = await commit(named);
  if (again.kind !== 'nobody') return again;
  throw new SwarmError('git_failed', 'git makes no commit although author and committer are named.');
}

/** Only its author, or someone the author added, commits on a stream. */
export function requireAuthor(stream: Stream, actor: { id: string; name: string }): void {
  if (isAuthor(stream, actor)) return;
  throw new SwarmError(
    'not_allowed',
    `Stream ${stream.handle} is ${stream.authorName}'s; ${actor.name} cannot commit on it.`,
    {
      fix: `gitswarm commit --as ${shellWord(stream.authorName)}, or build on it: gitswarm workspace create --depends-on ${stream.handle}`,
    },
  );
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
    setAside: 'none',
  };
}

/** The stream an agent means without naming one: that of the only workspace it has. */
export function onlyWorkspaceOf(workflow: Workflow, agentId: string): string | undefined {
  const own = listWorkspaces(workflow.machine).filter((workspace) => workspace.agent_id === agentId);
  return own.length === 1 ? own[0]?.stream_id : undefined;
}
