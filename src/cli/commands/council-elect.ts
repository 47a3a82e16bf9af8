import { isoTime } from '../../base/clock.ts';
import { plainLine } from '../../base/plain-text.ts';
import {
  acceptNomination,
  cancelElection,
  completeElection,
  type Election,
  listElections,
  nominate,
  showElection,
  startElection,
  startVoting,
  voteInElection,
} from '../../contract/elections.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import type { Answer, Command, Options } from '../command.ts';
import { durationOption, numberOption, textOption } from '../options.ts';
import { pairs, table } from '../output/table.ts';

const start: Command = {
  name: 'council elect start',
  summary: 'Open an election (members, owners).',
  actor: 'named',
  options: [
    { flags: '--seats <n>', summary: 'how many seats it fills (default 1)' },
    { flags: '--nominations <time>', summary: 'nominations end after this time (else by hand)' },
    { flags: '--voting <time>', summary: 'voting ends this long after them (else by hand)' },
  ],
  examples: ['gitswarm council elect start --seats 2 --nominations 2d --voting 3d'],
  async run(session, _args, options) {
    const { authority, repo, clock } = await session.workflow();
    const election = await authority.call(startElection, {
      repoId: repo.id,
      seats: numberOption(options, 'seats') ?? 1,
      ...endsOf(options, clock.now()),
    });
    return { ...electionAnswer(election), next: `gitswarm council elect nominate ${election.handle}` };
  },
};

function endsOf(options: Options, now: number) {
  const nominations = durationOption(options, 'nominations');
  const voting = durationOption(options, 'voting');
  return {
    nominationsEndAt: nominations === undefined ? null : isoTime(now + nominations),
    votingEndAt: voting === undefined ? null : isoTime(now + (nominations ?? 0) + voting),
  };
}

const show: Command = {
  name: 'council elect show',
  summary: 'An election; without a name the newest one.',
  args: '[election]',
  actor: 'reader',
  async run(session, [name]) {
    return electionAnswer(await named(await session.workflow(), name));
  },
};

const nomination: Command = {
  name: 'council elect nominate',
  summary: 'Run for a seat, or name somebody who should.',
  args: '[election]',
  actor: 'named',
  options: [
    { flags: '--agent <agent>', summary: 'who should run (else you)' },
    { flags: '-m, --message <text>', summary: 'what you would do' },
  ],
  async run(session, [name], options) {
    const workflow = await session.workflow();
    const { id } = await named(workflow, name);
    const election = await workflow.authority.call(nominate, {
      election: id,
      agent: textOption(options, 'agent'),
      statement: textOption(options, 'message') ?? '',
    });
    return { ...electionAnswer(election), next: `gitswarm council elect start-voting ${election.handle}` };
  },
};

const accept: Command = {
  name: 'council elect accept',
  summary: 'Accept a nomination.',
  args: '[election]',
  actor: 'named',
  options: [{ flags: '-m, --message <text>', summary: 'what you would do' }],
  async run(session, [name], options) {
    const workflow = await session.workflow();
    const { id } = await named(workflow, name);
    const statement = textOption(options, 'message');
    return electionAnswer(await workflow.authority.call(acceptNomination, { election: id, statement }));
  },
};

const vote: Command = {
  name: 'council elect vote',
  summary: 'Vote for a candidate; the last vote counts.',
  args: '<candidate> [election]',
  actor: 'named',
  async run(session, [candidate = '', name]) {
    const workflow = await session.workflow();
    const { id } = await named(workflow, name);
    return electionAnswer(await workflow.authority.call(voteInElection, { election: id, candidate }));
  },
};

function phase(word: string, summary: string, endpoint: typeof startVoting): Command {
  return {
    name: `council elect ${word}`,
    summary,
    args: '[election]',
    actor: 'named',
    async run(session, [name]) {
      const workflow = await session.workflow();
      const { id } = await named(workflow, name);
      return electionAnswer(await workflow.authority.call(endpoint, { election: id }));
    },
  };
}

/** The election that is named, or the newest. */
async function named({ authority, repo }: Workflow, name: string | undefined): Promise<Election> {
  if (name !== undefined) return authority.call(showElection, { election: name });
  const { items } = await authority.call(listElections, { repoId: repo.id, limit: 1 });
  if (items[0]) return items[0];
  throw new SwarmError('not_found', 'There was no election yet.', { fix: 'gitswarm council elect start' });
}

function electionAnswer(election: Election): Answer {
  return { data: election, text: () => electionText(election) };
}

function electionText(election: Election): string {
  const lines = [
    pairs([
      ['election', election.handle],
      ['status', election.status],
      ['seats', String(election.seats)],
      ['votes', String(election.votesCast)],
      ['nominations end', election.nominationsEndAt ?? undefined],
      ['voting ends', election.votingEndAt ?? undefined],
    ]),
  ];
  if (election.candidates.length > 0) {
    const byVotes = election.candidates.toSorted((a, b) => b.votes - a.votes);
    const columns = [
      { title: 'CANDIDATE', value: (each: Election['candidates'][number]) => plainLine(each.agentName) },
      { title: 'STATUS', value: (each: Election['candidates'][number]) => each.status.replace('_', ' ') },
      { title: 'VOTES', value: (each: Election['candidates'][number]) => String(each.votes) },
      { title: 'SAYS', value: (each: Election['candidates'][number]) => plainLine(each.statement) },
    ];
    lines.push('', table(byVotes, columns));
  }
  return lines.join('\n');
}

export const electCommands: Command[] = [
  start,
  show,
  nomination,
  accept,
  phase('start-voting', 'End nominations: those who accepted run.', startVoting),
  vote,
  phase('complete', 'Count, and seat whom the votes chose.', completeElection),
  phase('cancel', 'End it without a result.', cancelElection),
];
