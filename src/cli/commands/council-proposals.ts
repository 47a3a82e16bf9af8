import { allPages } from '../../base/all-pages.ts';
import { nearest } from '../../base/nearest.ts';
import { plain, plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import {
  CouncilVote,
  createProposal,
  listProposals,
  type Proposal,
  ProposalStatus,
  ProposalType,
  showProposal,
  withdrawProposal,
} from '../../contract/proposals.ts';
import { castVote } from '../../workflows/carry-out-proposal.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command, Options } from '../command.ts';
import { textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';
import { asOther } from '../who-may.ts';

const propose: Command = {
  name: 'council propose',
  summary: 'Put something to the vote (members).',
  args: '<type> <title>',
  actor: 'named',
  options: [
    { flags: '--target <x>', summary: 'the agent, the stream or the tag it is about' },
    { flags: '--data <json>', summary: 'what else it says, such as {"level":"write"}' },
    { flags: '--desc <text>', summary: 'why' },
  ],
  examples: [
    'gitswarm council propose merge_stream "Land the new auth" --target s-3fxa',
    'gitswarm council propose change_settings "Ask for two" --data <json>',
    'gitswarm council propose promote "Release"',
  ],
  async run(session, [word = '', title = ''], options) {
    const type = oneOf(word, ProposalType.options, 'type of proposal');
    const workflow = await session.workflow();
    const { authority, repo } = workflow;
    const proposal = await authority.call(createProposal, {
      repoId: repo.id,
      type,
      title,
      description: textOption(options, 'desc') ?? '',
      target: textOption(options, 'target'),
      data: jsonOf(options),
    });
    return {
      ...proposalAnswer(proposal),
      next: `gitswarm council vote ${proposal.handle} for${asOther(workflow, 'member')}`,
    };
  },
};

function jsonOf(options: Options): Record<string, unknown> {
  const text = textOption(options, 'data');
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new SwarmError('usage', `--data wants a JSON object, not "${text.slice(0, 100)}".`);
}

function oneOf<T extends string>(word: string, words: readonly T[], what: string): T {
  const found = words.find((each) => each === word.replaceAll('-', '_'));
  if (found) return found;
  const near = nearest(word, words);
  throw new SwarmError('usage', `"${word}" is no ${what}.${near ? ` Did you mean "${near}"?` : ''}`, {
    fix: `One of ${words.join(', ')}.`,
  });
}

const list: Command = {
  name: 'council proposals',
  summary: 'What was put to the vote, newest first; with a proposal, all that is known of it.',
  args: '[proposal]',
  actor: 'reader',
  options: [{ flags: '--status <status>', summary: 'only these', choices: ProposalStatus.options }],
  async run(session, [name], options) {
    const { authority, repo, clock } = await session.workflow();
    if (name !== undefined) return proposalAnswer(await authority.call(showProposal, { proposal: name }));
    const status = textOption(options, 'status') as ProposalStatus | undefined;
    const proposals = await allPages((cursor) =>
      authority.call(listProposals, { repoId: repo.id, status, limit: 200, cursor }),
    );
    return {
      data: proposals,
      text: () =>
        proposals.length === 0
          ? 'Nothing was put to the vote.'
          : table(
              proposals,
              [
                { title: 'PROPOSAL', value: (each) => each.handle },
                { title: 'TYPE', value: (each) => each.type.replace('_', ' ') },
                { title: 'STATUS', value: statusWords },
                { title: 'FOR', value: (each) => String(each.votesFor), align: 'right' },
                { title: 'AGAINST', value: (each) => String(each.votesAgainst), align: 'right' },
                { title: 'NEEDS', value: (each) => String(each.quorumRequired), align: 'right' },
                { title: 'WHEN', value: (each) => relativeTime(each.proposedAt, clock.now()) },
                { title: 'TITLE', value: (each) => plainLine(each.title), canShrink: true },
              ],
              { width: session.output.width },
            ),
    };
  },
};

const vote: Command = {
  name: 'council vote',
  summary: 'Vote on a proposal (members); what passes is carried out at once.',
  args: '<proposal> <vote>',
  actor: 'named',
  options: [{ flags: '--comment <text>', summary: 'why' }],
  examples: ['gitswarm council vote p-k7m2 for'],
  async run(session, [name = '', word = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const after = await castVote(workflow, {
      proposal: name,
      vote: oneOf(word, CouncilVote.options, 'vote'),
      comment: textOption(options, 'comment'),
    });
    const failed = after.execution !== null && !after.execution.ok;
    return {
      ...proposalAnswer(after),
      ...(failed ? { exit: 6 } : {}),
      next: after.status === 'passed' && !after.executed ? 'gitswarm tick' : undefined,
    };
  },
};

const withdraw: Command = {
  name: 'council withdraw',
  summary: 'Take a proposal back while it is open.',
  args: '<proposal>',
  actor: 'named',
  async run(session, [name = '']) {
    const { authority } = await session.workflow();
    return proposalAnswer(await authority.call(withdrawProposal, { proposal: name }));
  },
};

function statusWords(proposal: Proposal): string {
  if (proposal.status !== 'passed') return proposal.status;
  if (!proposal.executed) return 'passed, not carried out yet';
  return proposal.execution?.ok ? 'carried out' : 'passed, but failed';
}

function proposalAnswer(proposal: Proposal): Answer {
  return { data: proposal, text: () => proposalText(proposal) };
}

function proposalText(proposal: Proposal): string {
  const { votesFor, votesAgainst, votesAbstain, execution } = proposal;
  const lines = [
    pairs([
      ['proposal', `${proposal.handle} ${plainLine(proposal.title)}`],
      ['type', `${proposal.type.replace('_', ' ')} (${proposal.tier})`],
      ['status', statusWords(proposal)],
      [
        'votes',
        `${votesFor} for, ${votesAgainst} against, ${votesAbstain} abstain; ${proposal.quorumRequired} needed`,
      ],
      ['data', plainLine(JSON.stringify(proposal.data))],
      ['result', execution ? plainLine(JSON.stringify(execution.result)).slice(0, 300) : undefined],
      ['until', proposal.status === 'open' ? proposal.expiresAt : undefined],
      ['by', plainLine(proposal.proposedByName)],
    ]),
    ...proposal.votes.map(
      (each) =>
        `  ${each.vote.padEnd(8)} ${plainLine(each.agentName)}${each.comment ? `: ${plainLine(each.comment)}` : ''}`,
    ),
  ];
  if (proposal.description !== '') lines.push('', plain(proposal.description));
  return lines.join('\n');
}

export const proposalCommands: Command[] = [propose, list, vote, withdraw];
