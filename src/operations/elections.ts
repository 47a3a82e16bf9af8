import { newId } from '../base/ids.ts';
import * as contract from '../contract/elections.ts';
import { SwarmError } from '../contract/errors.ts';
import type { AgentRow, ElectionRow, RepoRow } from '../db/tables.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { whyNotEligible } from '../domain/councils/council-rules.ts';
import {
  findSeat,
  getCouncil,
  getCouncilById,
  listSeats,
  settingsOf,
} from '../domain/councils/councils-store.ts';
import { beginVoting, countAndSeat } from '../domain/councils/election-effects.ts';
import { whyNoVote } from '../domain/councils/election-rules.ts';
import {
  findRunningElection,
  handleOfElection,
  insertElection,
  listCandidates,
  listElectionRows,
  toElection,
  updateElectionRow,
  upsertCandidate,
  upsertElectionVote,
} from '../domain/councils/elections-store.ts';
import { countContributions } from '../domain/merges/contributions-store.ts';
import { hasAdmin } from './councils.ts';
import { isMaintainer } from './is-maintainer.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

type ElectionContext = ActingContext & { repo: RepoRow; election: ElectionRow };

/** Elections are run by owners and by those who are seated. */
async function checkRuns(context: ActingContext & { repo: RepoRow }, councilId: string): Promise<void> {
  const { db, actor, now } = context;
  if (await hasAdmin(context)) return;
  if ((await listSeats(db, councilId, now)).some((seat) => seat.agent_id === actor.id)) return;
  throw new SwarmError('not_allowed', `${actor.name} may not run an election: members and owners do.`);
}

function refuseUnless(election: ElectionRow, phase: contract.ElectionStatus, tried: string): void {
  if (election.status === phase) return;
  const message = `Election ${handleOfElection(election)} is in the state ${election.status}: ${tried} not now.`;
  throw new SwarmError('wrong_state', message, { details: { status: election.status } });
}

/** The end that was announced counts, whether anybody has looked since or not. */
function refuseAfter(election: ElectionRow, now: string): void {
  const end = election.nominations_end_at;
  if (end === null || end > now) return;
  throw new SwarmError('wrong_state', `Nominations for ${handleOfElection(election)} ended at ${end}.`);
}

const start = operation(contract.startElection, {
  on: 'repo',
  needs: 'read',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const council = await getCouncil(db, repo.id);
    await checkRuns(context, council.id);
    const running = await findRunningElection(db, council.id);
    if (running) {
      throw new SwarmError('already_exists', `Election ${handleOfElection(running)} is running already.`, {
        fix: `gitswarm council elect complete ${handleOfElection(running)}`,
      });
    }
    if (input.seats > council.max_members) {
      throw new SwarmError('invalid', `The council has ${council.max_members} seats, not ${input.seats}.`);
    }
    checkTimes(input, now);
    const row = await insertElection(db, {
      id: newId(context.clock.now()),
      repo_id: repo.id,
      council_id: council.id,
      seats: input.seats,
      status: 'nominations',
      nominations_end_at: input.nominationsEndAt,
      voting_end_at: input.votingEndAt,
      created_by: actor.id,
      created_at: now,
      ended_at: null,
    });
    emit({
      type: 'election.started',
      subject: { type: 'election', id: row.id },
      data: { seats: row.seats, nominationsEndAt: row.nominations_end_at, votingEndAt: row.voting_end_at },
    });
    return toElection(db, row);
  },
});

function checkTimes(
  input: { nominationsEndAt: string | null; votingEndAt: string | null },
  now: string,
): void {
  const { nominationsEndAt: nominations, votingEndAt: voting } = input;
  const isPast = [nominations, voting].some((at) => at !== null && at <= now);
  const isUpsideDown = nominations !== null && voting !== null && voting <= nominations;
  if (!isPast && !isUpsideDown) return;
  throw new SwarmError('invalid', 'Nominations end in the future, and voting after them.');
}

const list = query(contract.listElections, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = await listElectionRows(db, {
      repoId: repo.id,
      status: input.status,
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    const items = [];
    for (const row of page.items) items.push(await toElection(db, row));
    return { items, nextCursor: page.nextCursor };
  },
});

const show = query(contract.showElection, {
  on: 'election',
  needs: 'read',
  run: ({ db, election }) => toElection(db, election),
});

const nominate = operation(contract.nominate, {
  on: 'election',
  needs: 'write',
  async run(context, input) {
    const { db, actor, election, now, emit } = context;
    refuseUnless(election, 'nominations', 'nominations are taken');
    refuseAfter(election, now);
    const agent = input.agent === undefined ? actor : await getAgentByRef(db, input.agent);
    await checkCandidate(context, agent);
    const self = agent.id === actor.id;
    const before = (await listCandidates(db, election.id)).find((row) => row.agent_id === agent.id);
    if (before && !self) return toElection(db, election);
    await upsertCandidate(db, {
      election_id: election.id,
      agent_id: agent.id,
      nominated_by: before?.nominated_by ?? actor.id,
      statement: input.statement || (before?.statement ?? ''),
      status: self ? 'accepted' : 'nominated',
      votes: 0,
      accepted_at: self ? (before?.accepted_at ?? now) : null,
      nominated_at: before?.nominated_at ?? now,
    });
    emit({
      type: 'election.nominated',
      subject: { type: 'election', id: election.id },
      data: { agentId: agent.id, name: agent.name, accepted: self },
    });
    return toElection(db, election);
  },
});

/** Who runs passes the gate of later seats; who sits there has passed it, or was given the seat. */
async function checkCandidate(context: ElectionContext, agent: AgentRow): Promise<void> {
  const { db, repo, election } = context;
  const council = await getCouncilById(db, election.council_id);
  if (agent.council_id !== null || agent.status !== 'active') {
    throw new SwarmError('invalid', `${agent.name} cannot hold a seat.`);
  }
  if (await findSeat(db, council.id, agent.id)) return;
  const contributions = await countContributions(db, repo.id, agent.id);
  const why = whyNotEligible({ settings: settingsOf(council), karma: agent.karma, contributions });
  if (why) throw new SwarmError('gate_not_met', `${agent.name} cannot run: ${why}.`);
}

const accept = operation(contract.acceptNomination, {
  on: 'election',
  needs: 'write',
  async run(context, input) {
    const { db, actor, election, now, emit } = context;
    refuseUnless(election, 'nominations', 'nominations are accepted');
    refuseAfter(election, now);
    const candidate = (await listCandidates(db, election.id)).find((row) => row.agent_id === actor.id);
    if (!candidate) {
      throw new SwarmError('not_found', `Nobody has nominated ${actor.name}.`, {
        fix: `gitswarm council elect nominate ${handleOfElection(election)}`,
      });
    }
    await upsertCandidate(db, {
      ...candidate,
      status: 'accepted',
      accepted_at: candidate.accepted_at ?? now,
      statement: input.statement ?? candidate.statement,
    });
    emit({
      type: 'election.accepted',
      subject: { type: 'election', id: election.id },
      data: { agentId: actor.id, name: actor.name },
    });
    return toElection(db, election);
  },
});

/** Before the end of nominations that was announced only a maintainer or an owner starts it. */
const startVoting = operation(contract.startVoting, {
  on: 'election',
  needs: 'read',
  async run(context) {
    const { db, actor, election, now } = context;
    await checkRuns(context, election.council_id);
    refuseUnless(election, 'nominations', 'voting is started');
    const isEarly = election.nominations_end_at !== null && election.nominations_end_at > now;
    if (isEarly && !(await isMaintainer(context, actor))) {
      throw new SwarmError('gate_not_met', `Nominations are open until ${election.nominations_end_at}.`);
    }
    if (!(await listCandidates(db, election.id)).some((row) => row.status === 'accepted')) {
      throw new SwarmError('gate_not_met', 'Nobody has accepted a nomination yet.', {
        fix: `gitswarm council elect nominate ${handleOfElection(election)}`,
      });
    }
    return toElection(db, await beginVoting(context, election));
  },
});

const vote = operation(contract.voteInElection, {
  on: 'election',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, election, now, emit } = context;
    refuseUnless(election, 'voting', 'votes are taken');
    if (election.voting_end_at !== null && election.voting_end_at <= now) {
      throw new SwarmError('wrong_state', `Voting ended at ${election.voting_end_at}.`);
    }
    const seats = await listSeats(db, election.council_id, now);
    const why = whyNoVote({
      isSeated: seats.some((seat) => seat.agent_id === actor.id),
      isMaintainer: await isMaintainer(context, actor),
      contributions: await countContributions(db, repo.id, actor.id),
    });
    if (why) throw new SwarmError('not_allowed', `${actor.name} may not vote: ${why}.`);
    const agent = await getAgentByRef(db, input.candidate);
    const runs = (await listCandidates(db, election.id)).some(
      (row) => row.agent_id === agent.id && row.status === 'accepted',
    );
    if (!runs) throw new SwarmError('invalid', `${agent.name} does not run in this election.`);
    await upsertElectionVote(db, {
      election_id: election.id,
      voter_id: actor.id,
      candidate_id: agent.id,
      voted_at: now,
    });
    emit({
      type: 'election.voted',
      subject: { type: 'election', id: election.id },
      data: { candidateId: agent.id },
    });
    return toElection(db, election);
  },
});

/** Before the end that was announced only an owner completes it. */
const complete = operation(contract.completeElection, {
  on: 'election',
  needs: 'read',
  async run(context) {
    const { db, election, now } = context;
    await checkRuns(context, election.council_id);
    refuseUnless(election, 'voting', 'votes are counted');
    const isEarly = election.voting_end_at !== null && election.voting_end_at > now;
    if (isEarly && !(await hasAdmin(context))) {
      throw new SwarmError('gate_not_met', `Voting goes on until ${election.voting_end_at}.`);
    }
    return toElection(db, await countAndSeat(context, election));
  },
});

const cancel = operation(contract.cancelElection, {
  on: 'election',
  needs: 'read',
  async run(context) {
    const { db, election, now, emit } = context;
    await checkRuns(context, election.council_id);
    if (election.status === 'cancelled') return toElection(db, election);
    if (election.status === 'completed') refuseUnless(election, 'voting', 'it is cancelled');
    emit({ type: 'election.cancelled', subject: { type: 'election', id: election.id } });
    return toElection(db, await updateElectionRow(db, election.id, { status: 'cancelled', ended_at: now }));
  },
});

export const electionOperations = [start, list, show, nominate, accept, startVoting, vote, complete, cancel];
