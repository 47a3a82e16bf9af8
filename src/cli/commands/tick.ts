import { plainLine } from '../../base/plain-text.ts';
import { tick } from '../../workflows/tick.ts';
import type { Command } from '../command.ts';
import { count } from '../output/hints.ts';

const command: Command = {
  name: 'tick',
  summary:
    'Do what is due: leases, expired tasks, votes and terms, what the council decided, what a crash left.',
  actor: 'reader',
  async run(session) {
    const result = await tick(await session.workflow(), { offline: session.flags.offline });
    return {
      data: result,
      text: () =>
        [
          `${count(result.released, 'claim')} released, ${count(result.cancelled, 'task')} cancelled`,
          ...(result.resolved + result.elections > 0
            ? [
                `${count(result.resolved, 'vote or term', 'votes and terms')} ended, ${count(result.elections, 'election')} went on`,
              ]
            : []),
          ...(result.notified + result.delivered > 0
            ? [`${count(result.notified, 'notification')} made, ${result.delivered} delivered`]
            : []),
          ...result.abandoned.map((handle) => `abandoned ${handle}: nobody worked on it`),
          ...result.carriedOut.map((each) => `carried out ${each.handle}: ${plainLine(each.title)}`),
          ...result.repairs.map(
            (repair) => `mended ${repair.what} ${plainLine(repair.subject)}: ${repair.done}`,
          ),
        ].join('\n'),
    };
  },
};

export const commands = [command];
