import { plain } from '../base/plain-text.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { InputOf, OutputOf } from '../contract/endpoint.ts';
import { isSwarmError } from '../contract/errors.ts';
import { freezeQueue, unfreezeQueue } from '../contract/merges.ts';
import { recordStabilization, type Stabilization } from '../contract/stabilizations.ts';
import type { CheckRun } from './run-checks.ts';
import type { Workflow } from './workflow.ts';

/** While the server is away the result is kept for it, and whoever asked is told what it was all the same. */
export async function recordResult(
  workflow: Workflow,
  result: InputOf<typeof recordStabilization>,
): Promise<OutputOf<typeof recordStabilization>> {
  try {
    return await workflow.authority.call(recordStabilization, result);
  } catch (error) {
    if (!(error instanceof AuthorityAway) || !error.kept) throw error;
    const { kept, fix } = error;
    const what = `The buffer is ${result.result} @ ${result.commit.slice(0, 10)}.`;
    throw new AuthorityAway(`${what} ${error.message}`, { kept, fix, cause: error });
  }
}

/** From here on nothing but reverts and declared fixes lands, until a commit is green again. */
export async function recordRed(workflow: Workflow, commit: string, run: CheckRun): Promise<Stabilization> {
  const { stabilization } = await recordResult(workflow, {
    repoId: workflow.repo.id,
    result: 'red',
    commit,
    durationMs: run.durationMs,
    runs: 2,
    details: endOf(run.output),
  });
  workflow.reach('stabilize.recorded_doubt');
  await freeze(workflow, commit);
  workflow.reach('stabilize.frozen');
  return stabilization;
}

/** A red buffer lets only reverts and declared fixes pass. */
async function freeze(workflow: Workflow, commit: string): Promise<void> {
  await workflow.authority.call(freezeQueue, {
    repoId: workflow.repo.id,
    reason: `the buffer is red at ${commit.slice(0, 10)}`,
    automatic: true,
  });
}

/** What a red run froze. What a maintainer froze stays so. */
export async function thaw(workflow: Workflow): Promise<void> {
  try {
    await workflow.authority.call(unfreezeQueue, {
      repoId: workflow.repo.id,
      reason: 'green',
      automatic: true,
    });
  } catch (error) {
    if (!isSwarmError(error, 'not_allowed')) throw error;
  }
}

/** What is kept of an output: its last 20,000 characters. */
export function endOf(output: string): string {
  return plain(output).slice(-20_000);
}
