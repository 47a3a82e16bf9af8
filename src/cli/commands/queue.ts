import { setTimeout as pause } from 'node:timers/promises';
import { plainLine } from '../../base/plain-text.ts';
import { Priority } from '../../contract/common.ts';
import {
  dropFromQueue,
  freezeQueue,
  moveInQueue,
  pauseQueue,
  resumeQueue,
  unfreezeQueue,
} from '../../contract/merges.ts';
import { checkConsensus } from '../../contract/reviews.ts';
import { showStream } from '../../contract/streams.ts';
import { driveQueue, testsBeforeMerge } from '../../workflows/drive-queue.ts';
import { describeQueue, type QueueItem } from '../../workflows/queue/describe-queue.ts';
import type { QueueRun } from '../../workflows/queue/queue-run.ts';
import { recover } from '../../workflows/recover.ts';
import { actorOf, type Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { offerTrust } from '../offer-trust.ts';
import { flagOption, textOption } from '../options.ts';
import { count, relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';

const list: Command = {
  name: 'queue list',
  summary: 'What waits to land, in the order in which it will.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const queue = await describeQueue(workflow);
    return {
      data: queue,
      text: () => {
        const lines: string[] = [];
        if (queue.paused) lines.push('The queue is paused: gitswarm queue resume');
        if (queue.frozenReason) lines.push(`The queue is frozen: ${plainLine(queue.frozenReason)}`);
        if (queue.items.length === 0) return [...lines, 'The queue is empty.'].join('\n');
        lines.push(
          table(
            queue.items,
            [
              { title: '#', value: (item) => String(item.merge.position), align: 'right' },
              { title: 'STREAM', value: (item) => item.stream?.handle ?? item.merge.kind },
              {
                title: 'WHAT',
                value: (item) => plainLine(item.stream?.name ?? item.merge.kind),
                canShrink: true,
              },
              { title: 'PRIORITY', value: (item) => item.merge.priority },
              { title: 'LANE', value: (item) => (item.lane === null ? 'all' : String(item.lane)) },
              {
                title: 'STATE',
                value: (item) => (item.merge.state === 'prepared' ? 'landing' : item.phase),
              },
              {
                title: 'WAITS FOR',
                value: (item) => plainLine([...item.waitsFor, ...clashText(item)].join('; ')),
                canShrink: true,
              },
              { title: 'SINCE', value: (item) => relativeTime(item.merge.requestedAt, workflow.clock.now()) },
            ],
            { width: session.output.width },
          ),
        );
        return lines.join('\n');
      },
      next: queue.items.length > 0 && !queue.paused ? 'gitswarm queue run' : undefined,
    };
  },
};

const run: Command = {
  name: 'queue run',
  summary: 'Land what is queued, until nothing more can land.',
  actor: 'author',
  options: [{ flags: '--watch', summary: 'go on for what is queued later, until Ctrl-C' }],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    actorOf(workflow);
    await recover(workflow);
    if (testsBeforeMerge(workflow)) await offerTrust(session, workflow);
    const result = flagOption(options, 'watch')
      ? await driveUntilStopped(workflow, session.signal)
      : await driveQueue(workflow);
    const { landed, evicted, conflicted, refused, waiting } = result;
    return {
      data: {
        landed: landed.map(({ merge, stream, landing }) => ({
          streamId: stream?.id ?? null,
          mergeId: merge.id,
          commit: landing.commit,
        })),
        evicted: evicted.map(({ stream, packet }) => ({ stream: stream?.id ?? null, packet })),
        deferred: [
          ...conflicted.map(({ stream, files }) => ({
            stream: stream?.id ?? null,
            reason: 'conflict',
            files,
          })),
          ...waiting.map(({ stream, reason }) => ({ stream: stream?.id ?? null, reason })),
          ...refused.map(({ stream, error }) => ({ stream: stream?.id ?? null, reason: error.message })),
        ],
        runs: result.runs,
      },
      exit: evicted.length > 0 ? 6 : conflicted.length > 0 ? 5 : 0,
      text: () =>
        [
          `landed ${count(landed.length, 'stream')}${result.runs > 0 ? ` with ${count(result.runs, 'test run')}` : ''}`,
          ...landed.map(
            ({ stream, merge }) => `  ${stream?.handle ?? merge.kind}  ${plainLine(stream?.name ?? '')}`,
          ),
          ...evicted.map(
            ({ stream, packet }) => `  red       ${stream?.handle ?? ''}  ${plainLine(packet.summary)}`,
          ),
          ...conflicted.map(
            ({ stream }) =>
              `  conflict  ${stream?.handle ?? ''}  gitswarm stream resolve ${stream?.handle ?? ''}`,
          ),
          ...refused.map(
            ({ stream, error }) => `  refused   ${stream?.handle ?? ''}  ${plainLine(error.message)}`,
          ),
          ...waiting.map(({ stream, reason }) => `  waits     ${stream?.handle ?? ''}  ${plainLine(reason)}`),
        ].join('\n'),
    };
  },
};

const LOOK_AGAIN_MS = 500;

/** Drives the queue again and again; Ctrl-C ends it, and is no failure. */
async function driveUntilStopped(workflow: Workflow, signal: AbortSignal): Promise<QueueRun> {
  const all: QueueRun = { landed: [], conflicted: [], evicted: [], refused: [], waiting: [], runs: 0 };
  while (!signal.aborted) {
    try {
      const more = await driveQueue(workflow);
      all.landed.push(...more.landed);
      all.conflicted.push(...more.conflicted);
      all.evicted.push(...more.evicted);
      all.refused.push(...more.refused);
      all.waiting = more.waiting;
      all.runs += more.runs;
      await pause(LOOK_AGAIN_MS, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return all;
}

function switchCommand(verb: 'pause' | 'resume' | 'freeze' | 'unfreeze', summary: string): Command {
  const endpoint = { pause: pauseQueue, resume: resumeQueue, freeze: freezeQueue, unfreeze: unfreezeQueue }[
    verb
  ];
  const opposite = { pause: 'resume', resume: 'pause', freeze: 'unfreeze', unfreeze: 'freeze' }[verb];
  return {
    name: `queue ${verb}`,
    summary,
    actor: 'author',
    options: [{ flags: '--reason <text>', summary: 'why' }],
    async run(session, _args, options) {
      const workflow = await session.workflow();
      const repo = await workflow.authority.call(endpoint, {
        repoId: workflow.repo.id,
        reason: textOption(options, 'reason'),
      });
      return {
        data: { paused: repo.queuePaused, frozenReason: repo.frozenReason },
        text: () =>
          `The queue is ${repo.queuePaused ? 'paused' : 'running'}${repo.frozenReason ? `, frozen: ${plainLine(repo.frozenReason)}` : ''}.`,
        undo: `gitswarm queue ${opposite}`,
      };
    },
  };
}

const move: Command = {
  name: 'queue move',
  summary: 'Change the place of a stream in the queue.',
  args: '<stream>',
  actor: 'author',
  options: [
    { flags: '--priority <level>', summary: 'its class', choices: Priority.options },
    { flags: '--first', summary: 'before everything else' },
  ],
  async run(session, [name], options) {
    const workflow = await session.workflow();
    const merge = await workflow.authority.call(moveInQueue, {
      stream: await session.streamRef(name),
      priority: textOption(options, 'priority') as Priority | undefined,
      first: flagOption(options, 'first'),
    });
    return {
      data: merge,
      text: () => `now at place ${merge.position}, ${merge.priority}`,
      undo: 'gitswarm undo',
    };
  },
};

const drop: Command = {
  name: 'queue drop',
  summary: 'Take a stream out of the queue; it is approved again.',
  args: '<stream>',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [name], options) {
    const workflow = await session.workflow();
    const dropped = await workflow.authority.call(dropFromQueue, {
      stream: await session.streamRef(name),
      reason: textOption(options, 'reason'),
    });
    return {
      data: dropped,
      text: () => `${dropped.stream.handle} left the queue and is ${dropped.stream.state.replace('_', ' ')}.`,
      undo: `gitswarm merge ${dropped.stream.handle}`,
    };
  },
};

const explain: Command = {
  name: 'queue explain',
  summary: 'Why a stream is where it is in the queue, and what it waits for.',
  args: '<stream>',
  actor: 'reader',
  async run(session, [name]) {
    const workflow = await session.workflow();
    const ref = await session.streamRef(name);
    const consensus = await workflow.authority.call(checkConsensus, { stream: ref });
    const queue = await describeQueue(workflow);
    const stream = await workflow.authority.call(showStream, { stream: ref });
    const at = queue.items.findIndex((item) => item.stream?.id === stream.id);
    const item = queue.items[at];
    const ahead = queue.items.slice(0, Math.max(0, at)).map((each) => each.stream?.handle ?? each.merge.kind);
    const tests = testsBeforeMerge(workflow);
    const reasons = [
      item
        ? `asked for ${relativeTime(item.merge.requestedAt, workflow.clock.now())}, priority ${item.merge.priority}`
        : `not in the queue: ${stream.state.replace('_', ' ')}`,
      `consensus: ${consensus.state} (${consensus.reasons.join('; ')})`,
      ...(item && tests ? testReasons(item) : ahead.length > 0 ? [`behind ${ahead.join(', ')}`] : []),
      ...(item?.waitsFor ?? []),
      ...(item ? clashText(item) : []),
      tests
        ? `tests run before it lands: ${workflow.repo.config.stabilize_command}`
        : 'no tests run before it lands',
    ];
    return {
      data: {
        streamId: stream.id,
        position: item ? at + 1 : null,
        phase: item?.phase ?? null,
        lane: item?.lane ?? null,
        laneMates: item?.laneMates ?? [],
        testedWith: item?.testedWith ?? [],
        stackedOn: item?.stackedOn ?? [],
        clashesWith: item?.clashesWith ?? [],
        waitsFor: item?.waitsFor ?? [],
        ahead,
        reasons,
        consensus,
      },
      text: () =>
        [
          `${stream.handle} "${plainLine(stream.name)}"${item ? ` is at place ${at + 1}` : ''}`,
          ...reasons.map((each) => `  ${plainLine(each)}`),
        ].join('\n'),
      next: item ? 'gitswarm queue run' : `gitswarm merge ${stream.handle}`,
    };
  },
};

function clashText({ clashesWith }: QueueItem): string[] {
  return clashesWith.length > 0 ? [`clashes with ${clashesWith.join(', ')}`] : [];
}

/** Where it is in its lane, and what is tested with it. */
function testReasons({ phase, lane, laneMates, testedWith, stackedOn }: QueueItem): string[] {
  const alone = laneMates.length === 0 ? 'alone' : `with ${laneMates.join(', ')}`;
  return [
    `${phase}, ${lane === null ? 'meets every lane' : `in lane ${lane}`}, ${alone}`,
    ...(testedWith.length > 0 ? [`tested together with ${testedWith.join(', ')}`] : []),
    ...(stackedOn.length > 0 ? [`on top of ${stackedOn.join(', ')}, which have not landed`] : []),
  ];
}

export const commands: Command[] = [
  list,
  run,
  switchCommand('pause', 'Let nothing land until it is resumed.'),
  switchCommand('resume', 'End a pause.'),
  switchCommand('freeze', 'Let only reverts and declared fixes land.'),
  switchCommand('unfreeze', 'End a freeze.'),
  move,
  drop,
  explain,
];
