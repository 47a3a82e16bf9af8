import { plainLine } from '../../base/plain-text.ts';
import { showKarma } from '../../contract/karma.ts';
import type { Command } from '../command.ts';
import { count, relativeTime } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';

const MOST_SHOWN = 50;

const show: Command = {
  name: 'karma show',
  summary: 'What an agent has earned and why, and how its verdicts fared.',
  args: '[agent]',
  actor: 'reader',
  async run(session, [agent]) {
    const { authority, repo, clock } = await session.workflow();
    const karma = await authority.call(showKarma, { repoId: repo.id, agent, limit: MOST_SHOWN });
    const { reviewer } = karma;
    return {
      data: karma,
      text: () => {
        const head = pairs([
          ['agent', plainLine(karma.agent.name)],
          ['karma', String(karma.karma)],
          ['weight', `${karma.openWeight} where everybody decides`],
          ['reviews', `${count(reviewer.approvals, 'approval')}, ${count(reviewer.rejections, 'rejection')}`],
          ['accuracy', `${reviewer.accuracy} (${reviewer.confirmed} confirmed, ${reviewer.refuted} refuted)`],
        ]);
        if (karma.items.length === 0) return head;
        const rows = table(
          karma.items,
          [
            { title: 'WHEN', value: (entry) => relativeTime(entry.createdAt, clock.now()) },
            {
              title: 'KARMA',
              value: (entry) => `${entry.amount > 0 ? '+' : ''}${entry.amount}`,
              align: 'right',
            },
            { title: 'FOR', value: (entry) => plainLine(entry.reason), canShrink: true },
          ],
          { width: session.output.width },
        );
        return `${head}\n\n${rows}`;
      },
    };
  },
};

export const commands: Command[] = [show];
