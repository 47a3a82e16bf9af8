import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { listBlocks, mergeBlocks, splitBlock } from '../../contract/reviews.ts';
import { showStream } from '../../contract/streams.ts';
import type { Command } from '../command.ts';
import { count } from '../output/hints.ts';
import { table } from '../output/table.ts';
import { streamTitle } from './stream-answer.ts';

/** `review blocks s-3fxa`, `review blocks s-3fxa split 4f2a91`, `review blocks s-3fxa merge 1 3`. */
export const blocks: Command = {
  name: 'review blocks',
  summary: 'The parts of a stream that are judged: show them, split one, or merge neighbours.',
  args: '[stream] [action] [what...]',
  actor: (args) => (args[1] === undefined ? 'reader' : 'author'),
  examples: [
    'gitswarm review blocks s-3fxa',
    'gitswarm review blocks s-3fxa merge 1 3',
    'gitswarm review blocks s-3fxa split 4f2a91',
    'gitswarm review approve s-3fxa --block 1 --as reviewer',
  ],
  async run(session, [name, action, ...what]) {
    const { authority } = await session.workflow();
    const stream = await authority.call(showStream, { stream: await session.streamRef(name) });
    const ask = () => {
      if (action === undefined) return authority.call(listBlocks, { stream: stream.id });
      if (action === 'split') return authority.call(splitBlock, { stream: stream.id, commit: what[0] ?? '' });
      if (action === 'merge') {
        const [from, to] = [numberOf(what[0]), numberOf(what.at(-1))];
        return authority.call(mergeBlocks, { stream: stream.id, from, to });
      }
      throw new SwarmError('usage', `Blocks are split or merged, not "${action}".`, {
        fix: 'gitswarm review blocks --help',
      });
    };
    const { items, leading } = await ask();
    return {
      data: items.map(({ number, ...item }) => ({ block: number, ...item })),
      text: () =>
        [
          `${streamTitle(stream)}: ${count(items.length, 'block')}, ${leading} of the first may land`,
          ...(items.length === 0
            ? []
            : [
                table(
                  items,
                  [
                    { title: 'BLOCK', value: (item) => String(item.number), align: 'right' },
                    {
                      title: 'COMMITS',
                      value: (item) => item.commits.map((each) => each.commit.slice(0, 10)).join(' '),
                    },
                    { title: 'STATE', value: (item) => item.state.replaceAll('_', ' ') },
                    { title: 'YES', value: (item) => String(item.approvals), align: 'right' },
                    { title: 'NO', value: (item) => String(item.rejections), align: 'right' },
                    { title: 'TITLE', value: (item) => plainLine(item.title), canShrink: true },
                  ],
                  { width: session.output.width },
                ),
              ]),
        ].join('\n'),
      next:
        leading > 0
          ? `gitswarm merge ${stream.handle}${leading < items.length ? ' --blocks' : ''}`
          : undefined,
    };
  },
};

function numberOf(text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new SwarmError('usage', 'Name the first and the last block to merge.', {
    fix: 'gitswarm review blocks <stream> merge 1 2',
  });
}
