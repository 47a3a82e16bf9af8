import { nearest } from '../../base/nearest.ts';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { Verdict } from '../../contract/reviews.ts';
import { judgeStream, type ReviewResult, requestReview } from '../../workflows/review-stream.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { commandText, count } from '../output/hints.ts';
import type { Session } from '../session.ts';
import { asOther } from '../who-may.ts';
import { blocks } from './review-blocks.ts';
import { consensusLine, readCommands } from './review-read.ts';
import { streamTitle } from './stream-answer.ts';

const note: CommandOption = {
  flags: '-m, --message <text>',
  summary: 'what to tell the reviewers, or the author',
};
const judging: CommandOption[] = [
  note,
  { flags: '--tested', summary: 'you have run it' },
  { flags: '--block <n>', summary: 'judge this block only (gitswarm review blocks)' },
  { flags: '--head <commit>', summary: 'the commit you judge (else the one you were shown last)' },
];

const submit: Command = {
  name: 'review submit',
  summary: 'Ask for review of a stream; with a verdict, judge it.',
  args: '[stream] [verdict]',
  actor: (args) => (args[1] === undefined ? 'author' : 'named'),
  options: judging,
  examples: [
    'gitswarm review submit s-3fxa -m "ready"',
    'gitswarm review submit s-3fxa approve --as reviewer',
    'gitswarm review submit s-3fxa request_changes -m "no tests"',
  ],
  run: (session, [name, verdict], options) =>
    verdict === undefined
      ? ask(session, name, options)
      : judge(session, { name, verdict: verdictOf(verdict) }, options),
};

const request: Command = {
  name: 'review request',
  summary: 'The same as review submit without a verdict.',
  args: '[stream]',
  actor: 'author',
  options: [note],
  run: (session, [name], options) => ask(session, name, options),
};

function verdictCommand(word: string, verdict: Verdict): Command {
  return {
    name: `review ${word}`,
    summary: `The same as review submit <stream> ${verdict}.`,
    args: '<stream>',
    actor: 'named',
    options: judging,
    run: (session, [name], options) => judge(session, { name, verdict }, options),
  };
}

async function ask(session: Session, name: string | undefined, options: Options): Promise<Answer> {
  if (
    flagOption(options, 'tested') ||
    ['head', 'block'].some((name) => textOption(options, name) !== undefined)
  ) {
    throw new SwarmError('usage', '--tested, --head and --block belong to a verdict.', {
      fix: `gitswarm review submit <stream> ${Verdict.options.join('|')}`,
    });
  }
  const { workflow } = await actingWorkflow(session);
  return reviewAnswer(
    await requestReview(workflow, await session.streamRef(name), textOption(options, 'message')),
    workflow.authority.kind === 'server' ? undefined : asOther(workflow, 'reviewer'),
  );
}

async function judge(
  session: Session,
  given: { name: string | undefined; verdict: Verdict },
  options: Options,
): Promise<Answer> {
  const { workflow } = await actingWorkflow(session);
  const result = await judgeStream(workflow, {
    stream: await session.streamRef(given.name),
    verdict: given.verdict,
    feedback: textOption(options, 'message'),
    tested: flagOption(options, 'tested'),
    head: textOption(options, 'head'),
    block: textOption(options, 'block'),
  });
  const isNamed = session.flags.as !== undefined && workflow.repo.mergeMode !== 'gated';
  const who = isNamed ? ` ${commandText(['--as', result.stream.authorName])}` : '';
  return reviewAnswer(result, who);
}

function verdictOf(text: string): Verdict {
  const parsed = Verdict.safeParse(text.replace('-', '_'));
  if (parsed.success) return parsed.data;
  const near = nearest(text, Verdict.options);
  throw new SwarmError('usage', `"${text}" is no verdict.${near ? ` Did you mean "${near}"?` : ''}`, {
    fix: `One of ${Verdict.options.join(', ')}.`,
  });
}

/** `who` names who goes on, where that is said by --as: who judges, or lands where a reviewer was named who may not. */
function reviewAnswer(result: ReviewResult, who: string | undefined): Answer {
  const { stream } = result;
  if (result.kind === 'verdict') {
    const { consensus } = result;
    return {
      data: { stream, kind: 'verdict', review: result.review, consensus },
      text: () =>
        [
          `${result.review.verdict.replace('_', ' ')} ${streamTitle(stream)} @ ${result.review.head.slice(0, 10)}`,
          `  ${consensusLine(consensus)}`,
        ].join('\n'),
      next: consensus.reached ? `gitswarm merge ${stream.handle}${who ?? ''}` : undefined,
    };
  }
  const { uncommitted, finished, consensus } = result;
  return {
    data: { stream, kind: 'requested', consensus, finished, uncommitted },
    exit: consensus === null ? 7 : 0,
    text: () =>
      [
        finished
          ? `${streamTitle(stream)} is finished: everything had landed`
          : `${streamTitle(stream)} is ${stream.state.replace('_', ' ')} @ ${stream.head.slice(0, 10)}`,
        ...(finished
          ? []
          : [`  ${consensus ? consensusLine(consensus) : 'the server is asked when it is back'}`]),
        ...(uncommitted.length > 0
          ? [
              `  not part of it: ${count(uncommitted.length, 'file')} not committed (${uncommitted.slice(0, 5).map(plainLine).join(', ')})`,
            ]
          : []),
      ].join('\n'),
    next: finished
      ? undefined
      : consensus === null
        ? 'gitswarm sync'
        : consensus.reached
          ? `gitswarm merge ${stream.handle}`
          : who === undefined
            ? `gitswarm review check ${stream.handle}`
            : `gitswarm review submit ${stream.handle} approve${who}`,
  };
}

export const commands: Command[] = [
  submit,
  request,
  verdictCommand('approve', 'approve'),
  verdictCommand('reject', 'request_changes'),
  ...readCommands,
  blocks,
];
