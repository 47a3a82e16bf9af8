import type { OutputOf } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { repoStatus } from '../contract/status.ts';
import { sayDirectPush } from '../domain/repos/branch-rules.ts';
import { aheadBehind, isAncestor } from '../git/commits.ts';
import { resolveCommit } from '../git/refs.ts';
import { adoptBranch } from './adopt.ts';
import { openStreams, predictAmong } from './predict-conflicts.ts';
import { type Repair, recover } from './recover.ts';
import { isAtHome } from './shared/at-home.ts';
import { isHere, isOnBranch, seenTip } from './shared/shared-refs.ts';
import type { Workflow } from './workflow.ts';

export interface StatusReport extends OutputOf<typeof repoStatus> {
  buffer: { commit: string | null; behindTarget: number; aheadOfTarget: number };
  /** The buffer or the target was moved by another hand. */
  moved: string[];
  /** Open streams that would clash with each other. */
  clashes: { streams: { id: string; handle: string; name: string }[]; files: string[] }[];
  repairs: Repair[];
  warnings: string[];
}

/**
 * What goes on and what waits for whom. Takes in what was done with plain git and mends what a crash left, where an
 * actor is known and the disk can be written.
 */
export async function reportStatus(
  workflow: Workflow,
  options: { readOnly?: boolean } = {},
): Promise<StatusReport> {
  const warnings: string[] = [];
  let repairs: Repair[] = [];
  if (!options.readOnly && workflow.actor) {
    try {
      repairs = await recover(workflow);
      for (const stream of await openStreams(workflow))
        if (await isAtHome(workflow, stream)) await adoptBranch(workflow, stream);
    } catch (error) {
      if (!isSwarmError(error)) throw error;
      warnings.push(`commits made with plain git were not taken in: ${error.message}`);
    }
  }
  const status = await workflow.authority.call(repoStatus, { repoId: workflow.repo.id });
  const clashes = await clashesNow(workflow, status, warnings);
  return { ...status, ...(await branches(workflow, status)), clashes, repairs, warnings };
}

/** What cannot be predicted, because a branch or an object is gone, is told as a warning. */
async function clashesNow(
  workflow: Workflow,
  { streams }: OutputOf<typeof repoStatus>,
  warnings: string[],
): Promise<StatusReport['clashes']> {
  const open = Object.entries(streams).filter(([state]) => state !== 'merged' && state !== 'abandoned');
  if (open.reduce((sum, [, n]) => sum + n, 0) < 2) return [];
  try {
    const pairs = await predictAmong(workflow, await openStreams(workflow));
    return pairs.map(({ one, other, files }) => ({
      streams: [one, other].map(({ id, handle, name }) => ({ id, handle, name })),
      files,
    }));
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    warnings.push(`clashes between streams are not known: ${error.message}`);
    return [];
  }
}

async function branches(
  workflow: Workflow,
  status: OutputOf<typeof repoStatus>,
): Promise<Pick<StatusReport, 'buffer' | 'moved'>> {
  const { bufferBranch, promoteTarget, config } = workflow.repo;
  const rule = sayDirectPush(promoteTarget, config);
  const buffer = await resolveCommit(workflow.git, `refs/heads/${bufferBranch}`);
  const target = await resolveCommit(workflow.git, `refs/heads/${promoteTarget}`);
  const moved: string[] = [];
  if (buffer === undefined) moved.push(`the branch ${bufferBranch} is gone`);
  if (target === undefined) moved.push(`the branch ${promoteTarget} is gone`);
  if (buffer === undefined || target === undefined) {
    return { buffer: { commit: buffer ?? null, behindTarget: 0, aheadOfTarget: 0 }, moved };
  }
  const { ahead, behind } = await aheadBehind(workflow.git, buffer, target);
  const promoted = status.lastPromotion?.toCommit;
  const isBehind =
    (await isFollowing(workflow, bufferBranch, buffer)) ||
    (await isFollowing(workflow, promoteTarget, target));
  if (isBehind) moved.push('behind: gitswarm sync');
  if (behind > 0 && !isBehind)
    moved.push(
      `${promoteTarget} holds ${behind} commits the buffer lacks; they are taken in at the next landing (${rule})`,
    );
  const lost = promoted && promoted !== target && !(await isOnBranch(workflow, promoteTarget, promoted));
  // What was promoted on another machine may not have come here yet.
  if (lost && (await isHere(workflow, promoted))) {
    if (workflow.shared && (await isAncestor(workflow.git, target, promoted))) {
      if (!isBehind) moved.push('behind: gitswarm sync');
    } else {
      moved.push(`${promoteTarget} no longer holds what was promoted, ${promoted.slice(0, 10)} (${rule})`);
    }
  }
  return { buffer: { commit: buffer, behindTarget: behind, aheadOfTarget: ahead }, moved };
}

/** A branch that only has to go forward to be what was last seen of it in the remote: nobody has moved it. */
async function isFollowing(workflow: Workflow, branch: string, tip: string): Promise<boolean> {
  const seen = workflow.shared ? await seenTip(workflow, branch) : undefined;
  return seen !== undefined && seen !== tip && (await isAncestor(workflow.git, tip, seen));
}
