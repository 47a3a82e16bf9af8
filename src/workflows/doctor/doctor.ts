import { isSwarmError } from '../../contract/errors.ts';
import type { Workflow } from '../workflow.ts';
import { checkBranches } from './check-branches.ts';
import { checkPlace } from './check-place.ts';
import { checkState } from './check-state.ts';
import { checkWorktrees } from './check-worktrees.ts';
import type { Finding } from './finding.ts';

export interface Diagnosis {
  findings: (Omit<Finding, 'mend'> & { mendable: boolean; mended: string | null })[];
  /** Problems that are still there. */
  remaining: number;
}

/** Looks at everything that can be wrong; with `fix` mends what can be mended without losing anything. */
export async function examine(workflow: Workflow, options: { fix: boolean }): Promise<Diagnosis> {
  const checks = [checkPlace, checkState, checkBranches, checkWorktrees];
  const findings: Diagnosis['findings'] = [];
  for (const check of checks) {
    for (const { mend, ...finding } of await check(workflow)) {
      const mended = options.fix && mend ? await attempt(mend) : null;
      findings.push({ ...finding, mendable: mend !== undefined, mended });
    }
  }
  const remaining = findings.filter(
    (finding) => finding.level === 'problem' && finding.mended === null,
  ).length;
  return { findings, remaining };
}

/** What cannot be mended is told with the finding, and the next is looked at. */
async function attempt(mend: () => Promise<string>): Promise<string | null> {
  try {
    return await mend();
  } catch (error) {
    if (isSwarmError(error)) return null;
    throw error;
  }
}
