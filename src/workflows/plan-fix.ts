import { SwarmError } from '../contract/errors.ts';
import { comparisonFindings } from '../domain/workplans/compare-plans.ts';
import { withLock } from '../machine/locks.ts';
import { behindFinding, inOrder, standingFindings } from './plan-check.ts';
import { linkEntries, recordReached } from './plan-link.ts';
import { carryStatuses } from './plan-move.ts';
import { pullCheckout } from './plan-pull.ts';
import type { FixRun, PlanReport } from './plan-report.ts';
import { type PlanView, viewPlans } from './plan-view.ts';
import { writeBack } from './plan-writeback.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface FixOptions {
  /** The remote may be asked. */
  ask: boolean;
  writeback: boolean;
  /** Bring the checkout up to date first. */
  pull: boolean;
  /** The files are right, backwards, too: a person says so. */
  force: boolean;
}

/**
 * Brings workplans and tasks together. New blocks get tasks, what files have further goes into the database by ordinary
 * operations, and what the database has further is written into the files and committed. A checkout that is behind its
 * upstream is only looked at. Run again, it changes nothing.
 */
export async function fixPlans(workflow: Workflow, options: FixOptions): Promise<PlanReport> {
  const actor = actorOf(workflow);
  if (options.force && actor.kind !== 'human') {
    throw new SwarmError('not_allowed', `${actor.name} is an agent: only a person moves tasks backwards.`, {
      fix: 'Leave out --force; what the database has further is written into the files.',
    });
  }
  return withLock(workflow.home, 'plan', () => fixNow(workflow, options), {
    onWait: (holder) => workflow.notify(`waiting for ${holder}`),
  });
}

async function fixNow(workflow: Workflow, options: FixOptions): Promise<PlanReport> {
  const run: FixRun = { findings: [], changed: [] };
  if (options.pull) run.findings.push(...(await pullCheckout(workflow)));
  const view = await viewPlans(workflow, options);
  const report = (committed?: string): PlanReport => ({
    repo: workflow.repo.name,
    findings: inOrder([...run.findings, ...standingFindings(view)]),
    changed: run.changed,
    ...(committed === undefined ? {} : { committed }),
  });
  if (view.isBehind) {
    run.findings = [
      ...run.findings,
      behindFinding(workflow, 'WARN'),
      ...comparisonFindings(view.comparison, view),
    ];
    return report();
  }
  await linkEntries(workflow, view, { run, force: options.force });
  workflow.reach('plan.linked');
  run.findings = [...run.findings, ...comparisonFindings(afterLinking(view), view)];
  await carryStatuses(workflow, view.comparison.pairs, { run, force: options.force });
  workflow.reach('plan.carried');
  await recordReached(workflow, view.comparison.pairs, options);
  const committed = options.writeback ? await writeBack(workflow, view, run) : undefined;
  workflow.reach('plan.written');
  return report(committed);
}

/** Blocks that were refused a task have been told already. */
function afterLinking({ comparison }: PlanView) {
  return { ...comparison, unlinked: [] };
}
