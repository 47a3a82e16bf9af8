import { plainLine } from '../../base/plain-text.ts';
import { recover } from '../../workflows/recover.ts';
import { revertStream } from '../../workflows/revert-stream.ts';
import type { Command } from '../command.ts';
import { textOption } from '../options.ts';

const revert: Command = {
  name: 'revert',
  summary: 'Take the landing of a stream back with a commit that undoes it; its task reopens.',
  args: '<stream>',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [name = ''], options) {
    const workflow = await session.workflow();
    await recover(workflow);
    const result = await revertStream(workflow, await session.streamRef(name), textOption(options, 'reason'));
    if (result.kind === 'conflict') {
      return {
        data: result,
        exit: 5,
        text: () =>
          [
            'What landed since builds on it; the revert conflicts in:',
            ...result.files.map((f) => `  ${plainLine(f.path)}`),
          ].join('\n'),
        next: 'gitswarm task create "Undo …" --priority critical',
      };
    }
    const { stream, reopenedTask, paused } = result;
    return {
      data: result,
      text: () =>
        [
          `reverted ${stream.handle} "${plainLine(stream.name)}"`,
          `  ${workflow.repo.bufferBranch} ${result.bufferBefore.slice(0, 10)} -> ${result.bufferAfter.slice(0, 10)}`,
          ...(reopenedTask ? [`  task ${reopenedTask.handle} is open again`] : []),
          ...paused.map((child) => `  ${child.handle} lost what it builds on and is paused`),
        ].join('\n'),
      next: reopenedTask ? `gitswarm task show ${reopenedTask.handle}` : 'gitswarm stabilize',
    };
  },
};

export const commands = [revert];
