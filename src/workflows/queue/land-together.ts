import { retry } from '../../base/retry.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import { endMerge, prepareMerge } from '../../contract/merges.ts';
import { overlaps } from '../../domain/queue/footprint.ts';
import { footprintOf, type LaneRule } from '../../domain/queue/lane-rules.ts';
import { changedPaths } from '../../git/diff.ts';
import { signaturesOf } from '../authorship.ts';
import type { Queued } from '../compose-for.ts';
import { advanceBuffer, LANDING_TRIES, type Landing, recordLanding, stopAtConflict } from '../land.ts';
import { actorOf, bufferTip, type Workflow } from '../workflow.ts';
import { type Candidate, makeCandidate } from './candidate.ts';

export type GroupLanding =
  | { kind: 'landed'; landings: { item: Queued; landing: Extract<Landing, { kind: 'merged' }> }[] }
  | { kind: 'conflict'; item: Queued; landing: Extract<Landing, { kind: 'conflict' }> }
  /** The gate, asked once more, is closed for this one; none of them has landed. */
  | { kind: 'refused'; item: Queued; error: SwarmError }
  /** What would land is not what was tested: something else came to the tip where they have been at work. */
  | { kind: 'untested'; paths: string[] };

/**
 * Lands what was tested together with one move of the buffer, so that no untested commit is ever its tip. Each commit
 * is recorded before the move and each landing after it, as for a single one, and recovered alike.
 */
export async function landTogether(
  workflow: Workflow,
  {
    items,
    tree,
    rule,
    made,
  }: { items: readonly Queued[]; tree: string; rule: LaneRule; made?: Candidate | undefined },
): Promise<GroupLanding> {
  const as = await signaturesOf(workflow, actorOf(workflow));
  const recorded = new Map<string, string>();
  const result = await retry<GroupLanding>(LANDING_TRIES, async () => {
    const tip = await bufferTip(workflow);
    const candidate =
      made?.kind === 'made' && made.tip === tip ? made : await makeCandidate(workflow, { tip, items, as });
    if (candidate.kind === 'refused') {
      await takeBack(workflow, others(items, candidate.item), recorded);
      return candidate;
    }
    if (candidate.kind === 'conflict') {
      const landing = await stopAtConflict(workflow, candidate.item.merge, candidate.files, tip);
      await takeBack(workflow, items, recorded);
      return landing.kind === 'conflict' ? { kind: 'conflict', item: candidate.item, landing } : 'again';
    }
    const strange = await strangePaths(workflow, { candidate, tree, items, rule });
    if (strange.length > 0) {
      await takeBack(workflow, items, recorded);
      return { kind: 'untested', paths: strange };
    }
    workflow.reach('group.composed');
    const refused = await prepareAll(workflow, candidate, { tree, recorded });
    if (refused) {
      await takeBack(workflow, others(items, refused.item), recorded);
      return { kind: 'refused', ...refused };
    }
    workflow.reach('group.prepared');
    if (!(await advance(workflow, { candidate, items, recorded }))) return 'again';
    workflow.reach('group.moved');
    return { kind: 'landed', landings: await recordAll(workflow, candidate) };
  });
  if (result) return result;
  await takeBack(workflow, items, recorded);
  throw new SwarmError('busy', `The buffer moved ${LANDING_TRIES} times while the queue was landing.`, {
    fix: 'gitswarm queue run',
  });
}

type Made = Extract<Candidate, { kind: 'made' }>;

/**
 * Where what would land differs from what was tested, and must not: in the paths that these streams touch and in their
 * lanes. Elsewhere it is what other lanes landed meanwhile.
 */
async function strangePaths(
  workflow: Workflow,
  {
    candidate,
    tree,
    items,
    rule,
  }: { candidate: Made; tree: string; items: readonly Queued[]; rule: LaneRule },
): Promise<string[]> {
  if (candidate.tree === tree) return [];
  const touched = items.flatMap(({ stream }) => stream?.paths ?? []);
  const lanes = footprintOf(touched, rule);
  const own = new Set(touched.filter((path) => !rule.mergesItself?.(path)));
  const changed = (await changedPaths(workflow.git, tree, candidate.tree)).map(({ path }) => path);
  return changed.filter((path) => own.has(path) || overlaps(footprintOf([path], rule), lanes));
}

async function prepareAll(
  workflow: Workflow,
  candidate: Made,
  { tree, recorded }: { tree: string; recorded: Map<string, string> },
): Promise<{ item: Queued; error: SwarmError } | undefined> {
  let before = candidate.tip;
  for (const { item, commit } of candidate.steps) {
    try {
      await workflow.authority.call(prepareMerge, {
        merge: item.merge.id,
        commit,
        bufferBefore: before,
        holder: workflow.holder,
        expectCommit: recorded.get(item.merge.id) ?? null,
        testedTree: tree,
      });
    } catch (error) {
      if (isSwarmError(error)) return { item, error };
      throw error;
    }
    recorded.set(item.merge.id, commit);
    before = commit;
  }
  return undefined;
}

/** Where the buffer cannot move, the first is withdrawn with the reason, and the others are asked for again. */
async function advance(
  workflow: Workflow,
  {
    candidate,
    items,
    recorded,
  }: { candidate: Made; items: readonly Queued[]; recorded: Map<string, string> },
): Promise<boolean> {
  const [first, ...rest] = items;
  if (!first || candidate.commit === candidate.tip) return true;
  try {
    return await advanceBuffer(workflow, first.merge, { from: candidate.tip, to: candidate.commit });
  } catch (error) {
    await takeBack(workflow, rest, recorded);
    throw error;
  }
}

async function recordAll(
  workflow: Workflow,
  candidate: Made,
): Promise<Extract<GroupLanding, { kind: 'landed' }>['landings']> {
  const landings: Extract<GroupLanding, { kind: 'landed' }>['landings'] = [];
  let before = candidate.tip;
  for (const { item, commit } of candidate.steps) {
    const landed = await recordLanding(workflow, item.merge, commit);
    workflow.reach('group.landed');
    landings.push({
      item,
      landing: { kind: 'merged', commit, bufferBefore: before, bufferAfter: commit, landed },
    });
    before = commit;
  }
  return landings;
}

function others(items: readonly Queued[], item: Queued): Queued[] {
  return items.filter(({ merge }) => merge.id !== item.merge.id);
}

/** What was prepared and does not land now is asked for again, at its place. */
async function takeBack(
  workflow: Workflow,
  items: readonly Queued[],
  recorded: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { merge } of items) {
    if (!recorded.has(merge.id)) continue;
    await workflow.authority.call(endMerge, {
      merge: merge.id,
      state: 'withdrawn',
      reason: 'what was tested with it could not land',
      requeue: true,
    });
  }
}
