import type { SwarmError } from '../../contract/errors.ts';
import { treeOf } from '../../git/commits.ts';
import type { Signature } from '../../git/person.ts';
import { composeFor, type Queued } from '../compose-for.ts';
import type { Workflow } from '../workflow.ts';

/** Some landings one after the other on a tip, made in memory. */
export type Candidate =
  | { kind: 'made'; tip: string; steps: { item: Queued; commit: string }[]; commit: string; tree: string }
  /** This one cannot be merged on top of those before it. */
  | { kind: 'conflict'; item: Queued; before: Queued[]; files: { path: string; kind: string }[] }
  /** With this one more would land than the gate was asked for. */
  | { kind: 'refused'; item: Queued; error: SwarmError };

export async function makeCandidate(
  workflow: Workflow,
  {
    tip,
    items,
    as,
  }: { tip: string; items: readonly Queued[]; as: { author: Signature; committer: Signature } },
): Promise<Candidate> {
  const steps: { item: Queued; commit: string }[] = [];
  let commit = tip;
  for (const [i, item] of items.entries()) {
    const made = await composeFor(workflow, item)(commit, as);
    if (made.kind === 'refused') return { ...made, item };
    if (made.kind === 'conflict')
      return { kind: 'conflict', item, before: items.slice(0, i), files: made.files };
    if (made.kind === 'merged') commit = made.commit;
    steps.push({ item, commit });
  }
  return { kind: 'made', tip, steps, commit, tree: await treeOf(workflow.git, commit) };
}
