import type { Merge } from '../contract/merges.ts';
import { listMerges } from '../contract/merges.ts';
import { nextBisect, type Verdict } from '../git/bisect.ts';
import { isAncestor } from '../git/commits.ts';
import { allPages } from './all-pages.ts';
import { type CheckRequest, runChecks } from './run-checks.ts';
import type { Workflow } from './workflow.ts';

/** The landings that stand between a commit that was green and a tip, oldest first. */
export async function landingsSince(workflow: Workflow, green: string, tip: string): Promise<Merge[]> {
  const landed = await allPages((cursor) =>
    workflow.authority.call(listMerges, { repoId: workflow.repo.id, limit: 200, cursor }),
  );
  const found: Merge[] = [];
  for (const merge of landed) {
    const { commit } = merge;
    if (commit === null || (merge.state !== 'landed' && merge.state !== 'reverted')) continue;
    if (await isAncestor(workflow.git, commit, green)) break;
    if (await isAncestor(workflow.git, commit, tip)) found.push(merge);
  }
  return found.sort((a, b) => ((a.landedAt ?? '') + a.id < (b.landedAt ?? '') + b.id ? -1 : 1));
}

export type Search =
  | { kind: 'culprit'; merge: Merge; runs: number }
  /** Even the last green commit is red here: nobody is to blame. */
  | { kind: 'baseline_red'; output: string; runs: number }
  | { kind: 'error'; output: string; runs: number }
  /** No landing turned it red: the result changes from run to run, or the change came another way. */
  | { kind: 'nobody'; runs: number };

/**
 * Finds the landing that turned the buffer red: the baseline first, then prefixes of the landings, several at once.
 * Each landing's own commit is such a prefix, so no merging is needed.
 */
export async function findCulprit(
  workflow: Workflow,
  range: { baseline: string; landings: Merge[] },
  request: CheckRequest,
): Promise<Search> {
  let runs = 0;
  const check = async (commit: string, fresh = false) => {
    const run = await runChecks(workflow, commit, { ...request, fresh });
    if (!run.cached) runs++;
    return run;
  };
  workflow.notify('red; checking that the last green commit is green on this machine');
  // That it was green once says nothing of what this machine makes of it now.
  const baseline = await check(range.baseline, true);
  if (baseline.result === 'error') return { kind: 'error', output: baseline.output, runs };
  if (baseline.result === 'red') return { kind: 'baseline_red', output: baseline.output, runs };
  const verdicts = new Map<number, Verdict>([
    [0, 'green'],
    [range.landings.length, 'red'],
  ]);
  for (;;) {
    const step = nextBisect({
      landings: range.landings.length,
      verdicts,
      runners: workflow.repo.config.queue.runners,
    });
    if (step.kind === 'baseline_red' || step.kind === 'green') return { kind: 'nobody', runs };
    if (step.kind === 'culprit') {
      const merge = range.landings[step.landing - 1];
      return merge ? { kind: 'culprit', merge, runs } : { kind: 'nobody', runs };
    }
    workflow.notify(`searching ${range.landings.length} landings, testing ${step.prefixes.length} at once`);
    const results = await Promise.all(
      step.prefixes.map(async (prefix) => ({
        prefix,
        run: await check(range.landings[prefix - 1]?.commit ?? range.baseline),
      })),
    );
    const failed = results.find(({ run }) => run.result === 'error');
    if (failed) return { kind: 'error', output: failed.run.output, runs };
    for (const { prefix, run } of results) verdicts.set(prefix, run.result === 'green' ? 'green' : 'red');
  }
}
