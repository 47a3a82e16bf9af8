import { plainLine } from '../../base/plain-text.ts';
import { Priority } from '../../contract/common.ts';
import { SwarmError } from '../../contract/errors.ts';
import { showStream } from '../../contract/streams.ts';
import { testsBeforeMerge } from '../../workflows/drive-queue.ts';
import { landLeadingBlocks } from '../../workflows/land-blocks.ts';
import { type MergePlan, type MergeResult, mergeStream, planMerge } from '../../workflows/merge-stream.ts';
import { recover } from '../../workflows/recover.ts';
import { actorOf, type Workflow } from '../../workflows/workflow.ts';
import type { Answer, Command, Options } from '../command.ts';
import { offerTrust } from '../offer-trust.ts';
import { flagOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import { asMaintainer, promoteStep } from '../who-may.ts';

const merge: Command = {
  name: 'merge',
  summary: 'Land a stream on the buffer: asks for it and drives the queue until it has landed or left it.',
  args: '[stream]',
  actor: 'author',
  options: [
    { flags: '--plan', summary: 'say what it would meet, and change nothing' },
    { flags: '--blocks', summary: 'land the leading blocks that have consensus; the rest stays open' },
    { flags: '--force', summary: 'land without consensus (owners; recorded)' },
    { flags: '--reason <text>', summary: 'why it is forced' },
    { flags: '--priority <level>', summary: 'place in the queue', choices: Priority.options },
    { flags: '--no-wait', summary: 'only put it in the queue' },
  ],
  examples: ['gitswarm merge s-3fxa', 'gitswarm merge s-3fxa --plan'],
  async run(session, [name], options) {
    const workflow = await session.workflow();
    const isNamed =
      session.flags.as !== undefined ||
      session.environment.agent !== undefined ||
      session.isInteractive ||
      // With a server the key says who it is.
      workflow.authority.kind === 'server';
    if (flagOption(options, 'force') && !isNamed)
      throw new SwarmError('usage', 'A forced landing names who forces it.', { fix: 'Add --as <owner>.' });
    const ref = await session.streamRef(name);
    if (flagOption(options, 'plan')) return planAnswer(await planMerge(workflow, ref));
    actorOf(workflow);
    await recover(workflow);
    const waits = options.wait !== false;
    if (waits && testsBeforeMerge(workflow)) await offerTrust(session, workflow);
    if (flagOption(options, 'blocks')) return blocksAnswer(workflow, ref, options);
    const result = await mergeStream(workflow, ref, {
      force: flagOption(options, 'force'),
      reason: textOption(options, 'reason'),
      priority: textOption(options, 'priority') as Priority | undefined,
      wait: waits,
    });
    return mergeAnswer(workflow, ref, result);
  },
};

async function blocksAnswer(workflow: Workflow, ref: string, options: Options): Promise<Answer> {
  if (flagOption(options, 'force')) {
    throw new SwarmError('usage', 'Blocks land because they were agreed on: --blocks takes no --force.');
  }
  const { stream, rest, blocks, result } = await landLeadingBlocks(workflow, ref, {
    priority: textOption(options, 'priority') as Priority | undefined,
    wait: options.wait !== false,
  });
  const answer = await mergeAnswer(workflow, stream.id, result);
  return {
    ...answer,
    data: { ...(answer.data as object), stream, rest, blocks },
    text: () =>
      [
        answer.text(),
        ...(rest
          ? [`  ${count(blocks, 'block')}; the rest of ${rest.handle} stays ${rest.state.replace('_', ' ')}`]
          : []),
      ].join('\n'),
  };
}

async function mergeAnswer(workflow: Workflow, ref: string, result: MergeResult): Promise<Answer> {
  const stream = await workflow.authority.call(showStream, { stream: ref });
  const name = `${stream.handle} "${plainLine(stream.name)}"`;
  switch (result.kind) {
    case 'merged': {
      const { bufferBefore, bufferAfter, cascade } = result;
      const tests = workflow.repo.config.stabilize_command !== null;
      const undo = await asMaintainer(workflow, `gitswarm revert ${stream.handle}`);
      const next = tests ? 'gitswarm stabilize' : await promoteStep(workflow);
      return {
        data: { ...result, stream: stream.id },
        text: () =>
          [
            `landed ${name}`,
            `  ${workflow.repo.bufferBranch} ${bufferBefore.slice(0, 10)} -> ${bufferAfter.slice(0, 10)}`,
            ...(cascade.rebased.length > 0
              ? [`  ${count(cascade.rebased.length, 'dependant')} moved along`]
              : []),
          ].join('\n'),
        undo,
        next,
      };
    }
    case 'conflict':
      return {
        data: result,
        exit: 5,
        text: () =>
          [
            `${name} conflicts with the buffer in:`,
            ...result.files.map((f) => `  ${plainLine(f.path)}  ${f.kind}`),
          ].join('\n'),
        next: `gitswarm stream resolve ${stream.handle}`,
      };
    case 'queued':
      return {
        data: { kind: 'queued', position: result.position, reason: result.reason },
        exit: result.isAway ? 7 : result.blocked ? 6 : 0,
        text: () =>
          `${name} is queued${result.position ? ` at place ${result.position}` : ''}: ${result.reason}`,
        next: result.isAway ? 'gitswarm sync' : 'gitswarm queue run',
      };
    case 'evicted':
      return {
        data: result,
        exit: 6,
        text: () =>
          [
            `${name} left the queue: ${plainLine(result.packet.summary)}`,
            ...result.packet.outputTail
              .trimEnd()
              .split('\n')
              .filter((line, _i, all) => line !== '' || all.length > 1)
              .slice(-20)
              .map((line) => `  | ${plainLine(line)}`),
            `reproduce: ${result.packet.reproduce}`,
          ].join('\n'),
        next: `cd "$(gitswarm workspace path ${stream.handle})"`,
      };
  }
}

function planAnswer(plan: MergePlan): Answer {
  return {
    data: plan,
    text: () => {
      const lines = [
        `${plan.stream.handle} "${plainLine(plan.stream.name)}": ${count(plan.commits, 'commit')}, ${count(plan.files, 'file')}`,
      ];
      for (const gate of plan.gates)
        lines.push(`  ${gate.open ? 'ok  ' : 'NO  '} ${gate.name.padEnd(10)} ${plainLine(gate.detail)}`);
      for (const file of plan.conflictsWithBuffer)
        lines.push(`       conflict   ${plainLine(file.path)} (${file.kind})`);
      for (const other of plan.conflictsWith) {
        lines.push(
          `       clashes with ${other.handle} "${plainLine(other.name)}" in ${other.files.map(plainLine).join(', ')}`,
        );
      }
      lines.push(plan.runsTests ? '  tests run before it lands' : '  no tests run before it lands');
      return lines.join('\n');
    },
    next: plan.gates.every((gate) => gate.open) ? `gitswarm merge ${plan.stream.handle}` : undefined,
  };
}

export const commands = [merge];
