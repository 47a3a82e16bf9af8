import type { Merge } from '../contract/merges.ts';
import { listMerges } from '../contract/merges.ts';
import { nextBisect, type Verdict } from '../git/bisect.ts';
import { isAncestor, listCommits } from '../git/commits.ts';
import { revertMerge } from '../git/revert.ts';
import { allPages } from './all-pages.ts';
import { signaturesOf } from './authorship.ts';
import { type CheckRequest, runChecks } from './run-checks.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** What happened to the buffer between a commit that was green and one that is red. */
export interface Suspects {
  baseline: string;
  tip: string;
  /** The landings that still stand, in the order in which they came to the buffer. */
  landings: Merge[];
  /** Landings of this stretch that were taken back in it: their commits, and those of their reverts. */
  takenBack: { landing: string; revert: string }[];
}

/** Who may have turned the buffer red. What was asked for first need not have landed first: the history of git decides. */
export async function suspectsSince(workflow: Workflow, baseline: string, tip: string): Promise<Suspects> {
  const commits = await listCommits(workflow.git, { from: tip, notIn: [baseline] });
  const places = new Map(commits.map((commit, i) => [commit.oid, i]));
  const placeOf = ({ commit }: Merge) => places.get(commit ?? '') ?? -1;
  const landed = (
    await allPages((cursor) =>
      workflow.authority.call(listMerges, { repoId: workflow.repo.id, limit: 200, cursor }),
    )
  ).filter((merge) => (merge.state === 'landed' || merge.state === 'reverted') && placeOf(merge) >= 0);
  const reverts = new Map(landed.map((merge) => [merge.revertsMergeId, merge.commit]));
  return {
    baseline,
    tip,
    landings: landed
      .filter((merge) => merge.state === 'landed' && merge.kind !== 'revert')
      .sort((one, other) => placeOf(one) - placeOf(other) || (one.id < other.id ? -1 : 1)),
    takenBack: landed.flatMap(({ id, commit: landing }) => {
      const revert = reverts.get(id);
      return landing && revert ? [{ landing, revert }] : [];
    }),
  };
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
 * Each landing's own commit is such a prefix, without what was taken back since: a landing that was red and is gone
 * must hide nobody.
 */
export async function findCulprit(
  workflow: Workflow,
  suspects: Suspects,
  request: CheckRequest,
): Promise<Search> {
  const { landings } = suspects;
  let runs = 0;
  const check = async (commit: string, fresh = false) => {
    const run = await runChecks(workflow, commit, { ...request, fresh });
    if (!run.cached) runs++;
    return run;
  };
  workflow.notify('red; checking that the last green commit is green on this machine');
  // That it was green once says nothing of what this machine makes of it now.
  const baseline = await check(suspects.baseline, true);
  if (baseline.result === 'error') return { kind: 'error', output: baseline.output, runs };
  if (baseline.result === 'red') return { kind: 'baseline_red', output: baseline.output, runs };
  const verdicts = new Map<number, Verdict>([[0, 'green']]);
  const { runners } = workflow.repo.config.queue;
  let step = nextBisect({ landings: landings.length, verdicts, runners });
  while (step.kind === 'test') {
    workflow.notify(`searching ${landings.length} landings, testing ${step.prefixes.length} at once`);
    const results = await Promise.all(
      step.prefixes.map(async (prefix) => ({
        prefix,
        run: await check(await prefixCommit(workflow, suspects, prefix)),
      })),
    );
    const failed = results.find(({ run }) => run.result === 'error');
    if (failed) return { kind: 'error', output: failed.run.output, runs };
    for (const { prefix, run } of results) verdicts.set(prefix, run.result === 'green' ? 'green' : 'red');
    step = nextBisect({ landings: landings.length, verdicts, runners });
  }
  const merge = step.kind === 'culprit' ? landings[step.landing - 1] : undefined;
  return merge ? { kind: 'culprit', merge, runs } : { kind: 'nobody', runs };
}

/** The buffer as it was after the first so many landings, but without those of them that were taken back later. */
async function prefixCommit(workflow: Workflow, suspects: Suspects, prefix: number): Promise<string> {
  const { git } = workflow;
  const { author } = await signaturesOf(workflow, actorOf(workflow));
  let commit = suspects.landings[prefix - 1]?.commit ?? suspects.baseline;
  const start = commit;
  for (const { landing, revert } of suspects.takenBack) {
    if (!(await isAncestor(git, landing, start)) || (await isAncestor(git, revert, start))) continue;
    const without = await revertMerge(git, { tip: commit, merge: landing, message: 'for a test\n', author });
    if (without.kind === 'merged') commit = without.commit;
  }
  return commit;
}
