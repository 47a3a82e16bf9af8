import { plainLine } from '../../base/plain-text.ts';
import {
  type Council,
  createCouncil,
  dissolveCouncil,
  leaveCouncilSeat,
  setCouncil,
  showCouncil,
  takeCouncilSeat,
} from '../../contract/councils.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { numberOption, textOption } from '../options.ts';
import { pairs, table } from '../output/table.ts';
import { electCommands } from './council-elect.ts';
import { proposalCommands } from './council-proposals.ts';

const settings: CommandOption[] = [
  { flags: '--min-karma <n>', summary: 'the karma that a later seat asks for (default 50)' },
  { flags: '--min-contributions <n>', summary: 'the landed streams that it asks for (default 3)' },
  { flags: '--min-members <n>', summary: 'how many make it active (default 3)' },
  { flags: '--max-members <n>', summary: 'how many seats there are (default 11)' },
  { flags: '--quorum <n>', summary: 'votes that a standard decision needs (default 3)' },
  { flags: '--critical-quorum <n>', summary: 'votes that a critical one needs (default 5)' },
  { flags: '--term-months <n>', summary: 'how long a seat is held (default 6)' },
  { flags: '--election-days <n>', summary: 'how often there should be an election (default 90)' },
];

function settingsOf(options: Options) {
  return {
    minKarma: numberOption(options, 'minKarma'),
    minContributions: numberOption(options, 'minContributions'),
    minMembers: numberOption(options, 'minMembers'),
    maxMembers: numberOption(options, 'maxMembers'),
    standardQuorum: numberOption(options, 'quorum'),
    criticalQuorum: numberOption(options, 'criticalQuorum'),
    termLimitMonths: numberOption(options, 'termMonths'),
    electionIntervalDays: numberOption(options, 'electionDays'),
  };
}

const create: Command = {
  name: 'council create',
  summary: 'Make a council (owners); it decides once enough are seated.',
  actor: 'named',
  options: settings,
  examples: ['gitswarm council create --min-members 3 --quorum 2'],
  async run(session, _args, options) {
    const { authority, repo } = await session.workflow();
    const council = await authority.call(createCouncil, { repoId: repo.id, ...settingsOf(options) });
    return { ...councilAnswer(council, session.output.width), next: 'gitswarm council add-member <agent>' };
  },
};

const set: Command = {
  name: 'council set',
  summary: 'Change its rules (owners).',
  actor: 'named',
  options: settings,
  async run(session, _args, options) {
    const { authority, repo } = await session.workflow();
    const council = await authority.call(setCouncil, { repoId: repo.id, ...settingsOf(options) });
    return councilAnswer(council, session.output.width);
  },
};

const show: Command = {
  name: 'council show',
  summary: 'Who is seated, what a decision needs, and what is open.',
  actor: 'reader',
  async run(session) {
    const { authority, repo } = await session.workflow();
    const council = await authority.call(showCouncil, { repoId: repo.id });
    return {
      ...councilAnswer(council, session.output.width),
      next: council.openProposals > 0 ? 'gitswarm council proposals --status open' : undefined,
    };
  },
};

const dissolve: Command = {
  name: 'council dissolve',
  summary: 'End it (owners): open proposals and elections end with it.',
  actor: 'named',
  async run(session) {
    const { authority, repo } = await session.workflow();
    return councilAnswer(await authority.call(dissolveCouncil, { repoId: repo.id }), session.output.width);
  },
};

const join: Command = {
  name: 'council join',
  summary: 'Take a seat, where karma and landed work suffice.',
  actor: 'named',
  async run(session) {
    const { authority, repo } = await session.workflow();
    return councilAnswer(await authority.call(takeCouncilSeat, { repoId: repo.id }), session.output.width);
  },
};

const add: Command = {
  name: 'council add-member',
  summary: 'Give somebody a seat (owners); the first ones need no karma.',
  args: '<agent>',
  actor: 'named',
  options: [{ flags: '--role <role>', summary: 'chair or member', choices: ['chair', 'member'] }],
  async run(session, [agent = ''], options) {
    const { authority, repo } = await session.workflow();
    const role = textOption(options, 'role') as 'chair' | 'member' | undefined;
    const council = await authority.call(takeCouncilSeat, { repoId: repo.id, agent, role });
    return {
      ...councilAnswer(council, session.output.width),
      undo: `gitswarm council remove-member ${plainLine(agent)}`,
    };
  },
};

const remove: Command = {
  name: 'council remove-member',
  summary: 'Leave your seat, or take it from somebody (owners).',
  args: '<agent>',
  actor: 'named',
  async run(session, [agent = '']) {
    const { authority, repo } = await session.workflow();
    const council = await authority.call(leaveCouncilSeat, { repoId: repo.id, agent });
    return councilAnswer(council, session.output.width);
  },
};

function councilAnswer(council: Council, width: number | undefined): Answer {
  return { data: council, text: () => councilText(council, width) };
}

function councilText(council: Council, width: number | undefined): string {
  const { settings: rules, quorum } = council;
  const lines = [
    pairs([
      ['status', council.status],
      ['seats', `${council.seated} of ${rules.maxMembers}, active from ${rules.minMembers}`],
      ['quorum', `${quorum.standard}, critical ${quorum.critical}`],
      ['gate', `${rules.minKarma} karma, ${rules.minContributions} landed streams`],
      ['term', `${rules.termLimitMonths} months`],
      ['open', `${council.openProposals} proposals`],
      ['election due', council.nextElectionDue?.slice(0, 10)],
    ]),
  ];
  if (council.members.length > 0) {
    lines.push(
      '',
      table(
        council.members,
        [
          { title: 'MEMBER', value: (member) => plainLine(member.agentName), canShrink: true },
          { title: 'ROLE', value: (member) => member.role },
          { title: 'SEAT', value: (member) => member.reason },
          { title: 'VOTES', value: (member) => String(member.votesCast), align: 'right' },
          { title: 'UNTIL', value: (member) => member.termExpiresAt.slice(0, 10) },
        ],
        { width },
      ),
    );
  }
  return lines.join('\n');
}

export const commands: Command[] = [
  create,
  set,
  show,
  dissolve,
  join,
  add,
  remove,
  ...proposalCommands,
  ...electCommands,
];
