import { endMerge, type Merge } from '../../contract/merges.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import { nextBisect, type Verdict } from '../../git/bisect.ts';
import { mergeBase } from '../../git/commits.ts';
import { mergeCommits } from '../../git/merge.ts';
import { signaturesOf } from '../authorship.ts';
import type { Queued } from '../compose-for.ts';
import { suspectsSince } from '../find-culprit.ts';
import { type CheckRequest, runChecks } from '../run-checks.ts';
import { actorOf, type Workflow } from '../workflow.ts';

/** What the author of an evicted stream needs to know, and one command that shows it. */
export interface EvictionPacket {
  summary: string;
  commit: string;
  outputId: string | null;
  outputTail: string;
  reproduce: string;
  /** What landed and is green without the stream, as the stream is green without it. */
  partner: { streamId: string; handle: string; name: string } | null;
}

const TAIL = 4000;

/** The red run that confirmed it. */
export interface RedRun {
  commit: string;
  output: string;
  outputId: string | null;
}

/** Takes a stream out of the queue, with a packet and a task for its author. Two red runs are behind this. */
export async function evict(
  workflow: Workflow,
  item: Queued,
  { red, tip, request }: { red: RedRun; tip: string; request: CheckRequest },
): Promise<{ packet: EvictionPacket; stream: Stream | null; runs: number }> {
  const { partner, runs } = await findPartner(workflow, item, { tip, request });
  const packet = packetFor(workflow, item, { red, partner, command: request.command });
  const ended = await workflow.authority.call(endMerge, {
    merge: item.merge.id,
    state: 'refused',
    reason: packet.summary,
    eviction: taskText(packet),
  });
  workflow.reach('queue.evicted');
  return { packet, stream: ended.stream ?? item.stream, runs };
}

function packetFor(
  workflow: Workflow,
  item: Queued,
  { red, partner, command }: { red: RedRun; partner: Stream | null; command: string },
): EvictionPacket {
  const name = item.stream?.handle ?? item.merge.handle;
  const { setup } = workflow.repo.config.workspace;
  const steps = [`git worktree add --detach ../reproduce ${red.commit}`, 'cd ../reproduce'];
  return {
    summary: partner
      ? `${command} fails with ${name} and ${partner.handle} together; with either alone it passes`
      : `${command} fails with ${name} on top of the buffer`,
    commit: red.commit,
    outputId: red.outputId,
    outputTail: red.output.slice(-TAIL),
    reproduce: [...steps, ...(setup === null ? [] : [setup]), command].join(' && '),
    partner: partner && { streamId: partner.id, handle: partner.handle, name: partner.name },
  };
}

function taskText({ summary, partner, reproduce, outputTail }: EvictionPacket): string {
  const clash = partner ? `It clashes with ${partner.handle} "${partner.name}", which has landed.\n\n` : '';
  return `${summary}.\n\n${clash}To see it:\n\n  ${reproduce}\n\nThe end of the output:\n\n${outputTail}`;
}

/**
 * The landing that the stream cannot be together with: asked for only where the stream is green by itself, and found by
 * prefixes of what landed since it was begun.
 */
async function findPartner(
  workflow: Workflow,
  { merge, stream }: Queued,
  { tip, request }: { tip: string; request: CheckRequest },
): Promise<{ partner: Stream | null; runs: number }> {
  const base = await mergeBase(workflow.git, tip, merge.head);
  if (base === undefined || base === tip) return { partner: null, runs: 0 };
  let runs = 0;
  const verdictOf = async (commit: string): Promise<Verdict | undefined> => {
    const run = await runChecks(workflow, commit, request);
    if (!run.cached) runs++;
    return run.result === 'error' ? undefined : run.result;
  };
  workflow.notify(`red twice; is ${stream?.handle ?? merge.handle} green by itself?`);
  if ((await verdictOf(merge.head)) !== 'green') return { partner: null, runs };
  const { landings } = await suspectsSince(workflow, base, tip);
  const verdicts = new Map<number, Verdict>([
    [0, 'green'],
    [landings.length, 'red'],
  ]);
  const { runners } = workflow.repo.config.queue;
  for (;;) {
    const step = nextBisect({ landings: landings.length, verdicts, runners });
    if (step.kind === 'culprit') {
      return { partner: await streamOf(workflow, landings[step.landing - 1]), runs };
    }
    if (step.kind !== 'test') return { partner: null, runs };
    const results = await Promise.all(
      step.prefixes.map(async (prefix) => {
        const commit = await together(workflow, landings[prefix - 1]?.commit ?? base, merge.head);
        return [prefix, commit === undefined ? undefined : await verdictOf(commit)] as const;
      }),
    );
    for (const [prefix, verdict] of results) {
      if (verdict === undefined) return { partner: null, runs };
      verdicts.set(prefix, verdict);
    }
  }
}

async function streamOf(workflow: Workflow, landing: Merge | undefined): Promise<Stream | null> {
  return landing?.streamId ? workflow.authority.call(showStream, { stream: landing.streamId }) : null;
}

/** Both, or undefined where they cannot be merged. */
async function together(workflow: Workflow, ours: string, theirs: string): Promise<string | undefined> {
  const as = await signaturesOf(workflow, actorOf(workflow));
  const made = await mergeCommits(workflow.git, { ours, theirs, message: 'for a test\n', ...as });
  if (made.kind === 'conflict') return undefined;
  return made.kind === 'merged' ? made.commit : ours;
}
