import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { isoTime } from '../base/clock.ts';
import { plainLine } from '../base/plain-text.ts';
import { SwarmError } from '../contract/errors.ts';
import { abandonStream, finishStream, reopenStream, type Stream, showStream } from '../contract/streams.ts';
import { recordUndo } from '../contract/undo.ts';
import { slugOf } from '../domain/agents/agent-names.ts';
import { signatureAt } from '../git/person.ts';
import { listRefs } from '../git/refs.ts';
import { restoreSnapshot, SNAPSHOTS, snapshotWorktree } from '../git/snapshot.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { fillWorktree, registerWorktree } from '../git/worktrees.ts';
import { finishIntent, insertIntent, updateIntent } from '../machine/intents.ts';
import { withLock } from '../machine/locks.ts';
import { endSessionsOf } from '../machine/sessions.ts';
import { deleteWorkspace, findWorkspace, insertWorkspace, listWorkspaceUses } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { committerOf } from './authorship.ts';
import { measureStream, standingHead } from './facts.ts';
import { removeHalfMade, takeDown } from './remove-worktree.ts';
import { pushStreams } from './shared/push-shared.ts';
import { requireAuthorOrMaintainer } from './stream-rights.ts';
import type { Workflow } from './workflow.ts';
import { type CreateIntent, intendWorkspace, isTakenPath } from './workspace-intent.ts';

export interface Destroyed {
  stream: Stream;
  path: string;
  /** Where everything that was not committed is kept; null where nothing was. */
  snapshot: { ref: string; commit: string } | null;
  finished: boolean;
}

/**
 * Takes a workspace away. Refuses while it holds work that is neither committed nor landed, unless forced; even then
 * all of it is kept under a snapshot ref, and the branch stays. A snapshot is taken before anything is removed.
 */
export async function destroyWorkspace(
  workflow: Workflow,
  ref: string,
  options: { abandon?: boolean; force?: boolean } = {},
): Promise<Destroyed> {
  const found = await workflow.authority.call(showStream, { stream: ref });
  const actor = await requireAuthorOrMaintainer(workflow, found);
  const workspace = findWorkspace(workflow.machine, found.id);
  if (!workspace) throw noWorkspace(found);
  refuseForeign(workflow, found, workspace.path);
  const stream = await adoptBranch(workflow, found);
  const [user] = listWorkspaceUses(workflow.machine, stream.id);
  if (user) {
    throw new SwarmError('busy', `Somebody is at work in ${workspace.path}: ${user.reason}.`, {
      fix: 'Wait until it has ended.',
    });
  }
  await refuseLoss(workflow, stream, workspace.path, options);
  // Without a workspace it is written here no more: others take what they know of it from the remote.
  for (const { why } of (await pushStreams(workflow, [stream.id])).failed)
    workflow.notify(`${stream.handle} was not published: ${plainLine(why)}`);
  const at = isoTime(workflow.clock.now());
  const intent = insertIntent(workflow.machine, {
    kind: 'destroy',
    data: { streamId: stream.id, path: workspace.path },
    at,
  });
  workflow.reach('destroy.intended');
  const snapshot = await takeSnapshot(workflow, stream, workspace.path, 'before destroying the workspace');
  updateIntent(workflow.machine, intent, { streamId: stream.id, path: workspace.path, saved: true });
  workflow.reach('destroy.saved');
  await takeDown(workflow, workspace.path);
  workflow.reach('destroy.removed');
  deleteWorkspace(workflow.machine, stream.id);
  endSessionsOf(workflow.machine, stream.id, at);
  finishIntent(workflow.machine, intent);
  workflow.reach('destroy.forgotten');
  await workflow.authority.call(recordUndo, {
    repoId: workflow.repo.id,
    operation: 'workspace.destroy',
    summary: `destroying the workspace of ${stream.handle}`,
    data: { streamId: stream.id, path: workspace.path, snapshot: snapshot?.ref ?? null, agentId: actor.id },
  });
  const { stream: after, finished } = await closeStream(workflow, stream, options.abandon ?? false);
  return { stream: after, path: workspace.path, snapshot, finished };
}

/** The checkout of a tracked branch was made by somebody else, and is theirs to take away. */
function refuseForeign(workflow: Workflow, stream: Stream, path: string): void {
  if (stream.source !== 'tracked' || resolve(path).startsWith(resolve(workflow.worktrees) + sep)) return;
  throw new SwarmError('wrong_state', `${path} is a checkout that GitSwarm did not make; it stays.`, {
    fix: `gitswarm stream abandon ${stream.handle} ends the stream and leaves branch and files as they are`,
  });
}

async function refuseLoss(
  workflow: Workflow,
  stream: Stream,
  path: string,
  options: { abandon?: boolean; force?: boolean },
): Promise<void> {
  if (options.force) return;
  if (existsSync(path)) {
    const status = await worktreeStatus(workflow.git, path);
    if (!status.clean || status.inProgress) {
      const files = [...status.staged, ...status.unstaged, ...status.untracked, ...status.unmerged];
      throw new SwarmError(
        'worktree_dirty',
        `${path} holds work that is not committed: ${files.slice(0, 5).join(', ')}`,
        {
          fix: `gitswarm commit -m "…", or gitswarm workspace destroy ${stream.handle} --force (keeps a snapshot)`,
          details: { files },
        },
      );
    }
  }
  if (options.abandon || stream.state === 'merged' || stream.state === 'abandoned') return;
  const facts = await measureStream(workflow, stream);
  if (facts.commits.length === 0) return;
  throw new SwarmError(
    'unlanded_work',
    `Stream ${stream.handle} holds ${facts.commits.length} commits that have not landed.`,
    {
      fix: `gitswarm merge ${stream.handle}, or gitswarm workspace destroy ${stream.handle} --abandon (the branch stays)`,
    },
  );
}

/** Saves everything in a worktree that is not committed; null where there is nothing, or no worktree any more. */
export async function takeSnapshot(
  workflow: Workflow,
  stream: Stream,
  path: string,
  why: string,
  under: string = SNAPSHOTS,
): Promise<{ ref: string; commit: string } | null> {
  if (!existsSync(path)) return null;
  const now = workflow.clock.now();
  const ref = `${under}${stream.id}/${now}-${Math.random().toString(36).slice(2, 8)}`;
  const author = signatureAt(await committerOf(workflow), now);
  const message = `Snapshot of ${stream.handle} ${why}\n`;
  const commit = await snapshotWorktree(workflow.git, path, { ref, message, author });
  return commit ? { ref, commit } : null;
}

/** A stream without a workspace goes on only if it has something to land. */
async function closeStream(
  workflow: Workflow,
  stream: Stream,
  abandon: boolean,
): Promise<{ stream: Stream; finished: boolean }> {
  if (stream.state === 'merged' || stream.state === 'abandoned') return { stream, finished: false };
  const facts = await measureStream(workflow, stream);
  if (!abandon && facts.commits.length === 0 && stream.mergedCommit !== null) {
    return {
      stream: await workflow.authority.call(finishStream, { stream: stream.id, facts }),
      finished: true,
    };
  }
  if (!abandon && facts.commits.length > 0) return { stream, finished: false };
  const reason = abandon ? 'abandoned with its workspace' : 'its workspace was destroyed and held no commits';
  const { stream: after } = await workflow.authority.call(abandonStream, { stream: stream.id, reason });
  return { stream: after, finished: false };
}

export interface Restored {
  stream: Stream;
  path: string;
  /** What became of the newest snapshot. */
  files: 'restored' | 'none' | { kept: string; conflicts: string[] };
}

/** Brings a workspace back: the stream, its worktree at the same place, and the newest snapshot on top. */
export async function restoreWorkspace(workflow: Workflow, ref: string): Promise<Restored> {
  let stream = await workflow.authority.call(showStream, { stream: ref });
  await requireAuthorOrMaintainer(workflow, stream);
  if (stream.state === 'abandoned')
    stream = await workflow.authority.call(reopenStream, { stream: stream.id });
  const existing = findWorkspace(workflow.machine, stream.id);
  if (existing && existsSync(existing.path)) {
    throw new SwarmError('already_exists', `Stream ${stream.handle} has its workspace at ${existing.path}.`);
  }
  const head = await standingHead(workflow, stream);
  if (existing) deleteWorkspace(workflow.machine, stream.id);
  const { intent, data } = intendWorkspace(workflow, () => ({
    streamId: stream.id,
    branch: stream.branch,
    path: existing?.path ?? freePath(workflow, stream),
    commit: head,
    restores: true,
  }));
  workflow.reach('restore.intended');
  try {
    return { stream, path: data.path, files: await rebuild(workflow, stream, data) };
  } catch (error) {
    await removeHalfMade(workflow, data);
    throw error;
  } finally {
    finishIntent(workflow.machine, intent);
  }
}

async function rebuild(workflow: Workflow, stream: Stream, made: CreateIntent): Promise<Restored['files']> {
  const { path, branch, commit } = made;
  await withLock(workflow.home, 'worktrees', () =>
    registerWorktree(workflow.git, { path, branch, oid: commit }),
  );
  workflow.reach('restore.registered');
  await fillWorktree(workflow.git, { path });
  workflow.reach('restore.filled');
  const files = await bringBackFiles(workflow, stream, path);
  workflow.reach('restore.files');
  insertWorkspace(workflow.machine, {
    stream_id: stream.id,
    path,
    agent_id: stream.authorId,
    branch,
    synced_oid: commit,
    created_at: isoTime(workflow.clock.now()),
  });
  workflow.reach('restore.kept');
  return files;
}

/** The newest snapshot on top of the head. */
async function bringBackFiles(workflow: Workflow, stream: Stream, path: string): Promise<Restored['files']> {
  const [newest] = (await listRefs(workflow.git, [`${SNAPSHOTS}${stream.id}/`])).sort((a, b) =>
    a.name < b.name ? 1 : -1,
  );
  if (!newest) return 'none';
  const result = await restoreSnapshot(workflow.git, path, { snapshot: newest.oid });
  return result.kind === 'restored' ? 'restored' : { kept: newest.name, conflicts: result.files };
}

function freePath(workflow: Workflow, stream: Stream): string {
  const base = `${workflow.worktrees}/${slugOf(stream.authorName)}`;
  return isTakenPath(workflow, base) ? `${base}-${stream.handle.slice(2)}` : base;
}

function noWorkspace(stream: Stream): SwarmError {
  return new SwarmError('not_found', `Stream ${stream.handle} has no workspace on this machine.`, {
    fix: `gitswarm workspace restore ${stream.handle}`,
  });
}
