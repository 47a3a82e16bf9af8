import { isoTime } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import { listBlocks, splitOffStream } from '../contract/reviews.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { updateRefs } from '../git/refs.ts';
import { finishIntent, insertIntent } from '../machine/intents.ts';
import { adoptBranch } from './adopt.ts';
import { forkPoints, measureFacts } from './facts.ts';
import { type MergeOptions, type MergeResult, mergeStream } from './merge-stream.ts';
import { claimHome } from './shared/at-home.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** What is written down before the branch is made, so that a crash leaves no branch without a stream. */
export interface SplitIntent {
  streamId: string;
  branch: string;
  commit: string;
}

export interface BlocksLanding {
  /** What landed, or was to land: a stream of its own, or the whole one where every block has consensus. */
  stream: Stream;
  rest: Stream | null;
  blocks: number;
  result: MergeResult;
}

/**
 * Lands the leading blocks that have consensus. They become a stream of their own, which lands like any other; the rest
 * builds on it and keeps the verdicts it has.
 */
export async function landLeadingBlocks(
  workflow: Workflow,
  ref: string,
  options: MergeOptions = {},
): Promise<BlocksLanding> {
  actorOf(workflow);
  const { authority } = workflow;
  const stream = await adoptBranch(workflow, await authority.call(showStream, { stream: ref }));
  const { items, leading } = await authority.call(listBlocks, { stream: stream.id });
  if (leading === 0) {
    const reasons = items[0]?.reasons.join('; ') ?? 'it has no commits';
    throw new SwarmError(
      'gate_not_met',
      `The first block of stream ${stream.handle} cannot land: ${reasons}.`,
      {
        fix: `gitswarm review blocks ${stream.handle}`,
      },
    );
  }
  if (leading === items.length) {
    return { stream, rest: null, blocks: leading, result: await mergeStream(workflow, stream.id, options) };
  }
  const head = items[leading - 1]?.commits.at(-1)?.commit ?? '';
  const parts = await splitAt(workflow, stream, head);
  const result = await mergeStream(workflow, parts.leading.id, options);
  return {
    stream: await authority.call(showStream, { stream: parts.leading.id }),
    rest: await authority.call(showStream, { stream: parts.rest.id }),
    blocks: leading,
    result,
  };
}

async function splitAt(workflow: Workflow, stream: Stream, head: string) {
  const forks = await forkPoints(workflow, stream);
  const facts = await measureFacts(workflow, head, forks);
  const rest = await measureFacts(workflow, stream.head, [head, ...forks]);
  const id = newId(workflow.clock.now());
  const branch = `stream/${id}`;
  // The branch first: a stream that is recorded without one would look like lost work.
  const intent = insertIntent(workflow.machine, {
    kind: 'split',
    data: { streamId: id, branch, commit: head } satisfies SplitIntent,
    at: isoTime(workflow.clock.now()),
  });
  await updateRefs(workflow.git, [{ ref: `refs/heads/${branch}`, old: null, new: head }], 'split off');
  workflow.reach('blocks.branched');
  const parts = await workflow.authority.call(splitOffStream, { stream: stream.id, id, branch, facts, rest });
  finishIntent(workflow.machine, intent);
  await claimHome(workflow, parts.leading);
  workflow.reach('blocks.split');
  return parts;
}
