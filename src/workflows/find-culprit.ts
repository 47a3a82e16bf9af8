import { allPages } from '../base/all-pages.ts';
import type { Merge } from '../contract/merges.ts';
import { listMerges } from '../contract/merges.ts';
import { showStream } from '../contract/streams.ts';
import { cutByWeight } from '../domain/queue/search-prefixes.ts';
import { type Suspect, suspicion } from '../domain/queue/suspicion.ts';
import { isAncestor, listCommits } from '../git/commits.ts';
import { revertMerge } from '../git/revert.ts';
import { signaturesOf } from './authorship.ts';
import { type CheckRequest, type CheckRun, runChecks } from './run-checks.ts';
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
  /** The second run of the tip was green. */
  | { kind: 'flaky'; run: CheckRun; runs: number }
  /** Even the last green commit is red here: nobody is to blame. */
  | { kind: 'baseline_red'; output: string; runs: number }
  | { kind: 'error'; output: string; runs: number }
  /** No landing turned it red: the result changes from run to run, or the change came another way. */
  | { kind: 'nobody'; runs: number };

/**
 * Finds the landing that turned the buffer red. The first round runs the tip and the baseline again, and prefixes of
 * the landings beside them; the following ones only prefixes, cut where the likeliest are. The last round tests the tip
 * without the likeliest of those left, so that the revert is known to be green when it lands. `onRed` is called once it is certain
 * that the tip is red and the baseline is not.
 */
export async function findCulprit(
  workflow: Workflow,
  suspects: Suspects,
  {
    request,
    output,
    onRed,
  }: { request: CheckRequest; output: string; onRed: (run: CheckRun) => Promise<void> },
): Promise<Search> {
  const weights = suspicion(
    await Promise.all(suspects.landings.map((each) => knownOf(workflow, each))),
    output,
  );
  const rounds = new Rounds(workflow, suspects, { request, weights });
  const { runners } = workflow.repo.config.queue;
  workflow.notify('red; running it again, and the last green commit on this machine');
  const stop = new AbortController();
  const again = rounds.check(suspects.tip, { fresh: true }).then((run) => {
    if (run.result === 'green') stop.abort();
    return run;
  });
  if (runners === 1) await again;
  // That the baseline was green once says nothing of what this machine makes of it now.
  const first = stop.signal.aborted
    ? []
    : [
        rounds.check(suspects.baseline, { fresh: true, signal: stop.signal }),
        rounds.test(runners - 2, stop.signal),
      ];
  const [run, baseline] = await Promise.all([again, ...first]);
  if (run.result === 'green') return { kind: 'flaky', run, runs: 1 };
  if (run.result === 'error') return { kind: 'error', output: run.output, runs: rounds.runs };
  if (baseline && baseline.result === 'error')
    return { kind: 'error', output: baseline.output, runs: rounds.runs };
  if (baseline && baseline.result === 'red')
    return { kind: 'baseline_red', output: baseline.output, runs: rounds.runs };
  await onRed(run);
  while (!rounds.failure && rounds.isOpen) {
    workflow.notify(`searching ${rounds.left} landings`);
    await rounds.test(runners);
  }
  const { runs } = rounds;
  if (rounds.failure) return { kind: 'error', output: rounds.failure.output, runs };
  return rounds.culprit ? { kind: 'culprit', merge: rounds.culprit, runs } : { kind: 'nobody', runs };
}

async function knownOf(workflow: Workflow, { streamId }: Merge): Promise<Suspect> {
  if (streamId === null) return { paths: [], reverted: 0 };
  const { paths, authorId } = await workflow.authority.call(showStream, { stream: streamId });
  const { items } = await workflow.authority.call(listMerges, {
    repoId: workflow.repo.id,
    state: 'reverted',
    limit: 50,
  });
  return { paths, reverted: items.filter((merge) => merge.requestedBy === authorId).length };
}

interface CheckOptions {
  fresh?: boolean;
  signal?: AbortSignal;
}

/** What the rounds of a search have found so far: prefix `green` is green, prefix `red` is red. */
class Rounds {
  runs = 0;
  failure: CheckRun | undefined;
  readonly #workflow: Workflow;
  readonly #suspects: Suspects;
  readonly #request: CheckRequest;
  readonly #weights: readonly number[];
  #green = 0;
  /** Beyond the last: that all of them together are red has to be seen first. */
  #red: number;

  constructor(
    workflow: Workflow,
    suspects: Suspects,
    { request, weights }: { request: CheckRequest; weights: readonly number[] },
  ) {
    this.#workflow = workflow;
    this.#suspects = suspects;
    this.#request = request;
    this.#weights = weights;
    this.#red = suspects.landings.length + 1;
  }

  get left(): number {
    return Math.min(this.#red, this.#suspects.landings.length) - this.#green;
  }

  get isOpen(): boolean {
    return this.#red - this.#green > 1;
  }

  get culprit(): Merge | undefined {
    return this.isOpen ? undefined : this.#suspects.landings[this.#red - 1];
  }

  async check(commit: string, { fresh = false, signal }: CheckOptions = {}): Promise<CheckRun> {
    const { signal: own } = this.#workflow;
    const both = signal && own ? AbortSignal.any([signal, own]) : (signal ?? own);
    const workflow = both ? { ...this.#workflow, signal: both } : this.#workflow;
    const run = await runChecks(workflow, commit, { ...this.#request, fresh });
    if (!run.cached) this.runs++;
    return run;
  }

  /** One round with so many runs at once. */
  async test(count: number, signal?: AbortSignal): Promise<undefined> {
    const all = this.#suspects.landings.length;
    const options = signal ? { signal } : {};
    // All of them together are the tip as a rule, whose verdict is known.
    if (this.#red > all && all > 0) await this.#testPrefix(all, options);
    if (!this.isOpen || this.failure) return undefined;
    const cuts = cutByWeight(this.#weights, { green: this.#green, red: this.#red }, count);
    const isLast = cuts.length === this.#red - this.#green - 1;
    const likeliest = isLast ? this.#likeliest(count - cuts.length) : [];
    await Promise.all([
      ...cuts.map((prefix) => this.#testPrefix(prefix, options)),
      ...likeliest.map((landing) => this.#testWithout(landing, options)),
    ]);
    return undefined;
  }

  async #testPrefix(prefix: number, options: CheckOptions): Promise<void> {
    const commit = await prefixCommit(this.#workflow, this.#suspects, prefix);
    const run = await this.check(commit, options);
    if (run.result === 'green') this.#green = Math.max(this.#green, prefix);
    else if (run.result === 'red') this.#red = Math.min(this.#red, prefix);
    else if (!options.signal?.aborted) this.failure ??= run;
  }

  /** The verdict is remembered by its tree, which is that of the tip after the revert. */
  async #testWithout(landing: number, options: CheckOptions): Promise<void> {
    const merge = this.#suspects.landings[landing - 1]?.commit;
    if (!merge) return;
    const { author } = await signaturesOf(this.#workflow, actorOf(this.#workflow));
    const { tip } = this.#suspects;
    const made = await revertMerge(this.#workflow.git, { tip, merge, message: 'for a test\n', author });
    if (made.kind === 'merged') await this.check(made.commit, options);
  }

  #likeliest(count: number): number[] {
    const left = Array.from({ length: this.#red - this.#green }, (_, i) => this.#green + 1 + i);
    const weight = (landing: number) => this.#weights[landing - 1] ?? 0;
    return left.sort((a, b) => weight(b) - weight(a)).slice(0, Math.max(0, count));
  }
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
