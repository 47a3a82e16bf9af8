import { plainLine } from '../../base/plain-text.ts';
import { collectGarbage } from '../../workflows/collect-garbage.ts';
import { recover } from '../../workflows/recover.ts';
import { actorOf } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { durationOption, flagOption } from '../options.ts';
import { count } from '../output/hints.ts';

const A_MONTH_MS = 30 * 86_400_000;

const gc: Command = {
  name: 'gc',
  summary: 'Clear away what closed streams no longer need. Commits found nowhere else are never deleted.',
  actor: 'author',
  options: [
    { flags: '--plan', summary: 'say what would go, and remove nothing' },
    { flags: '--older-than <time>', summary: 'only what has been closed for so long (default 30d)' },
  ],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    actorOf(workflow);
    const plan = flagOption(options, 'plan');
    if (!plan) await recover(workflow);
    const olderThanMs = durationOption(options, 'olderThan') ?? A_MONTH_MS;
    const collected = await collectGarbage(workflow, { plan, olderThanMs });
    return {
      data: { ...collected, plan },
      text: () =>
        [
          ...collected.removed.map(
            (each) =>
              `${plan ? 'would remove' : 'removed'} ${each.kind.replace('_', ' ')} ${plainLine(each.name)}: ${each.why}`,
          ),
          collected.removed.length === 0
            ? 'There is nothing to clear away.'
            : count(collected.removed.length, 'thing'),
        ].join('\n'),
      next: plan && collected.removed.length > 0 ? 'gitswarm gc' : undefined,
    };
  },
};

export const commands = [gc];
