import type { OutputOf } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { repoStatus } from '../contract/status.ts';
import { aheadBehind, isAncestor } from '../git/commits.ts';
import { resolveCommit } from '../git/refs.ts';
import { adoptBranch } from './adopt.ts';
import { openStreams } from './predict-conflicts.ts';
import { type Repair, recover } from './recover.ts';
import type { Workflow } from './workflow.ts';

export interface StatusReport extends OutputOf<typeof repoStatus> {
  buffer: { commit: string | null; behindTarget: number; aheadOfTarget: number };
  /** The buffer or the target was moved by another hand. */
  moved: string[];
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
      for (const stream of await openStreams(workflow)) await adoptBranch(workflow, stream);
    } catch (error) {
      if (!isSwarmError(error)) throw error;
      warnings.push(`commits made with plain git were not taken in: ${error.message}`);
    }
  }
  const status = await workflow.authority.call(repoStatus, { repoId: workflow.repo.id });
  return { ...status, ...(await branches(workflow, status)), repairs, warnings };
}

async function branches(
  workflow: Workflow,
  status: OutputOf<typeof repoStatus>,
): Promise<Pick<StatusReport, 'buffer' | 'moved'>> {
  const { bufferBranch, promoteTarget } = workflow.repo;
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
  if (behind > 0)
    moved.push(
      `${promoteTarget} holds ${behind} commits the buffer lacks; they are taken in at the next landing`,
    );
  if (promoted && promoted !== target && !(await isAncestor(workflow.git, promoted, target))) {
    moved.push(`${promoteTarget} no longer holds what was promoted (${promoted.slice(0, 10)})`);
  }
  return { buffer: { commit: buffer, behindTarget: behind, aheadOfTarget: ahead }, moved };
}
