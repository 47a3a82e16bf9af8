import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import { type Consensus, checkConsensus, listReviews } from '../../contract/reviews.ts';
import { showStream } from '../../contract/streams.ts';
import { nextForReview } from '../../workflows/review-stream.ts';
import { actorOf } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { count, relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';
import { streamTitle } from './stream-answer.ts';

/** `consensus reached: 2 of 2 approve` and the reasons. */
export function consensusLine(consensus: Consensus): string {
  const reasons = consensus.reasons.map(plainLine).join('; ');
  return `consensus ${consensus.state.replaceAll('_', ' ')}${reasons ? `: ${reasons}` : ''}`;
}

const list: Command = {
  name: 'review list',
  summary: 'The verdicts on a stream.',
  args: '[stream]',
  actor: 'reader',
  async run(session, [name]) {
    const workflow = await session.workflow();
    const stream = await session.streamRef(name);
    const reviews = await allPages((cursor) =>
      workflow.authority.call(listReviews, { stream, limit: 200, cursor }),
    );
    return {
      data: reviews,
      text: () =>
        reviews.length === 0
          ? 'Nobody has judged it yet.'
          : table(
              reviews,
              [
                { title: 'REVIEWER', value: (review) => plainLine(review.reviewerName) },
                { title: 'VERDICT', value: (review) => review.verdict.replace('_', ' ') },
                { title: 'COMMIT', value: (review) => review.head.slice(0, 10) },
                { title: 'WHEN', value: (review) => relativeTime(review.reviewedAt, workflow.clock.now()) },
                {
                  title: '',
                  value: (review) =>
                    [
                      review.standing ? 'stands' : '',
                      review.reviewBlockId ? 'on one block' : '',
                      review.stale ? 'on an older change' : '',
                      review.tested ? 'tested' : '',
                    ]
                      .filter(Boolean)
                      .join(', '),
                },
                { title: 'FEEDBACK', value: (review) => plainLine(review.feedback), canShrink: true },
              ],
              { width: session.output.width },
            ),
    };
  },
};

const check: Command = {
  name: 'review check',
  summary: 'Whether a stream may land, and why or why not.',
  args: '[stream]',
  actor: 'reader',
  options: [{ flags: '--exit-code', summary: 'exit 6 where it may not' }],
  async run(session, [name], options) {
    const { authority } = await session.workflow();
    const stream = await authority.call(showStream, { stream: await session.streamRef(name) });
    const consensus = await authority.call(checkConsensus, { stream: stream.id });
    const { votes } = consensus;
    return {
      data: consensus,
      exit: flagOption(options, 'exitCode') && !consensus.reached ? 6 : 0,
      text: () =>
        [
          `${streamTitle(stream)}: ${consensusLine(consensus)}`,
          ...(votes.length === 0
            ? []
            : [
                table(votes, [
                  { title: 'REVIEWER', value: (vote) => plainLine(vote.reviewerName) },
                  { title: 'VERDICT', value: (vote) => vote.verdict.replace('_', ' ') },
                  {
                    title: 'WEIGHT',
                    value: (vote) => String(Math.round(vote.weight * 100) / 100),
                    align: 'right',
                  },
                  { title: 'COUNTS', value: (vote) => (vote.counts ? 'yes' : 'no') },
                  { title: 'WHY', value: (vote) => plainLine(vote.why) },
                ]),
              ]),
        ].join('\n'),
      next: consensus.reached ? `gitswarm merge ${stream.handle}` : undefined,
    };
  },
};

const next: Command = {
  name: 'review next',
  summary: 'The stream that waits longest for your verdict.',
  actor: 'author',
  async run(session) {
    const workflow = await session.workflow();
    actorOf(workflow);
    const { stream, why, skipped } = await nextForReview(workflow);
    for (const each of skipped)
      session.output.note(`passed over: ${streamTitle(each)}, which its author's machine has not pushed yet`);
    if (!stream) return { data: null, text: () => plainLine(why) };
    return {
      data: { stream, why },
      text: () =>
        `${streamTitle(stream)} by ${plainLine(stream.authorName)}, ${count(stream.commitCount, 'commit')}, ${count(stream.paths.length, 'file')}`,
      next: `gitswarm diff ${stream.handle}`,
    };
  },
};

export const readCommands: Command[] = [list, check, next];
