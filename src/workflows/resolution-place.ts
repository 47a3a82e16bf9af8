import { existsSync } from 'node:fs';
import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { type Before, bringBack, findBefore, forgetBefore } from '../git/set-aside.ts';
import { restoreSnapshot, SNAPSHOTS } from '../git/snapshot.ts';
import { type WorktreeStatus, worktreeStatus } from '../git/worktree-files.ts';
import { findWorkspace } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { takeSnapshot } from './destroy-workspace.ts';
import { requireAuthorOrMaintainer } from './stream-rights.ts';
import type { Workflow } from './workflow.ts';

/** Where a stream's conflict is resolved. */
export interface ResolutionPlace {
  stream: Stream;
  path: string;
  status: WorktreeStatus;
  /** Of a resolution that was begun and is not over. */
  before: Before | undefined;
}

const OPEN = ['active', 'in_review', 'changes_requested', 'approved', 'queued', 'conflicted'];

/** The stream's worktree, on its branch; whoever asks may work there. */
export async function resolutionPlace(workflow: Workflow, ref: string): Promise<ResolutionPlace> {
  const found = await workflow.authority.call(showStream, { stream: ref });
  await requireAuthorOrMaintainer(workflow, found);
  if (!OPEN.includes(found.state)) {
    const fix = found.state === 'paused' ? `gitswarm stream resume ${found.handle}` : undefined;
    const message = `Stream ${found.handle} is ${found.state}: there is nothing to resolve.`;
    throw new SwarmError('wrong_state', message, { fix });
  }
  const path = findWorkspace(workflow.machine, found.id)?.path;
  if (path === undefined || !existsSync(path)) {
    throw new SwarmError('not_found', `Stream ${found.handle} has no workspace to resolve it in.`, {
      fix: `gitswarm workspace restore ${found.handle}`,
    });
  }
  const stream = await adoptBranch(workflow, found);
  const status = await worktreeStatus(workflow.git, path);
  if (status.branch !== stream.branch) {
    const place = status.branch ?? 'a detached HEAD';
    throw new SwarmError('wrong_branch', `${path} is on ${place}, not on ${stream.branch}.`, {
      fix: `git -C ${shellWord(path)} switch ${stream.branch}`,
    });
  }
  const before = findBefore(path);
  if (before === undefined || before.head === status.head || status.inProgress !== undefined) {
    return { stream, path, status, before };
  }
  // The merge was committed with plain git: it is over.
  const given = await giveBack(workflow, path);
  if (typeof given === 'object') workflow.notify(`what was set aside is kept under ${given.kept}`);
  return { stream, path, status: await worktreeStatus(workflow.git, path), before: undefined };
}

export type GivenBack = 'none' | 'restored' | { kept: string; conflicts: string[] };

/** What was set aside before a merge comes back on top of it; where the two clash it stays under its snapshot. */
export async function giveBack(workflow: Workflow, path: string): Promise<GivenBack> {
  const snapshot = findBefore(path)?.snapshot;
  if (!snapshot) {
    forgetBefore(path);
    return 'none';
  }
  const result = await restoreSnapshot(workflow.git, path, { snapshot: snapshot.commit });
  forgetBefore(path);
  return result.kind === 'restored' ? 'restored' : { kept: snapshot.ref, conflicts: result.files };
}

/** Puts the worktree back as it was before the merge. Answers where what it held until now is kept. */
export async function goBack(
  workflow: Workflow,
  { stream, path, before }: { stream: Stream; path: string; before: Before },
  why: string,
): Promise<string | null> {
  const now = await saveForResolution(workflow, { stream, path }, why);
  await bringBack(workflow.git, path, before, now?.commit ?? null);
  return now?.ref ?? null;
}

/** A snapshot apart from those of destroyed workspaces: restoring one must not bring back half of a merge. */
export function saveForResolution(
  workflow: Workflow,
  { stream, path }: { stream: Stream; path: string },
  why: string,
): Promise<{ ref: string; commit: string } | null> {
  return takeSnapshot(workflow, stream, path, why, `${SNAPSHOTS}resolve/`);
}
