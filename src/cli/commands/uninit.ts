import { plainLine } from '../../base/plain-text.ts';
import { uninit } from '../../workflows/uninit.ts';
import type { Command } from '../command.ts';
import { flagOption } from '../options.ts';

const command: Command = {
  name: 'uninit',
  summary: 'Take away what init made, and nothing else. Refuses while there is work the target lacks.',
  actor: 'named',
  options: [{ flags: '--force', summary: 'go on, and keep the branches and snapshots that hold such work' }],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    const result = await uninit(workflow, { force: flagOption(options, 'force') });
    await session.close();
    result.finish();
    const { removed, kept } = result;
    return {
      data: { removed, kept },
      text: () =>
        [
          `removed ${removed.length} things; your branches and files are as they were`,
          ...kept.map((each) => `  kept ${plainLine(each)}`),
        ].join('\n'),
    };
  },
};

export const commands = [command];
