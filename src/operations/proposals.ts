import { isoTime } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/proposals.ts';
import type { CouncilRow, ProposalRow, RepoRow } from '../db/tables.ts';
import { effectiveQuorum, statusNow } from '../domain/councils/council-rules.ts';
import { getCouncil, getCouncilById, listSeats } from '../domain/councils/councils-store.ts';
import { PROPOSAL_LIFE_MS, tierOf } from '../domain/councils/proposal-rules.ts';
import {
  handleOfProposal,
  insertProposal,
  listProposalRows,
  resolveProposal,
  toProposal,
  updateProposalRow,
  upsertVote,
} from '../domain/councils/proposals-store.ts';
import { hasAdmin } from './councils.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { resolveProposalData } from './proposal-data.ts';

type ProposalContext = ActingContext & { repo: RepoRow; proposal: ProposalRow };

const create = operation(contract.createProposal, {
  on: 'repo',
  needs: 'read',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const council = await getCouncil(db, repo.id);
    const seats = await checkMember(context, council, 'propose');
    const data = await resolveProposalData(context, input);
    const configured = tierOf(input.type) === 'critical' ? council.critical_quorum : council.standard_quorum;
    const row = await insertProposal(db, {
      id: newId(context.clock.now()),
      repo_id: repo.id,
      council_id: council.id,
      type: input.type,
      title: input.title,
      description: input.description,
      data: JSON.stringify(data),
      proposed_by: actor.id,
      quorum_required: effectiveQuorum(configured, seats),
      status: 'open',
      plan: null,
      begun_at: null,
      executed_at: null,
      execution_result: null,
      expires_at: isoTime(context.clock.now() + PROPOSAL_LIFE_MS),
      resolved_at: null,
      proposed_at: now,
    });
    emit({
      type: 'proposal.created',
      subject: { type: 'proposal', id: row.id },
      data: { type: row.type, title: row.title, councilId: council.id, expiresAt: row.expires_at, ...data },
    });
    return toProposal(db, row, now);
  },
});

/** Only those who are seated in an active council decide; answers how many are. */
async function checkMember(context: ActingContext, council: CouncilRow, tried: string): Promise<number> {
  const { db, actor, now } = context;
  const seats = await listSeats(db, council.id, now);
  if (!seats.some((seat) => seat.agent_id === actor.id)) {
    throw new SwarmError('not_allowed', `${actor.name} may not ${tried}: only members of the council do.`, {
      fix: 'gitswarm council join',
    });
  }
  const status = statusNow(council, seats.length);
  if (status === 'active') return seats.length;
  const message = `The council is ${status}: it has ${seats.length} of ${council.min_members} members and decides nothing.`;
  throw new SwarmError('gate_not_met', message, { fix: 'gitswarm council add-member <agent>' });
}

const list = query(contract.listProposals, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, now }, input) {
    const rows = await listProposalRows(db, {
      repoId: repo.id,
      status: input.status,
      pending: input.pending,
      beyondId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    const items = [];
    for (const row of page.items) items.push(await toProposal(db, row, now));
    return { items, nextCursor: page.nextCursor };
  },
});

const show = query(contract.showProposal, {
  on: 'proposal',
  needs: 'read',
  run: ({ db, proposal, now }) => toProposal(db, proposal, now),
});

const vote = operation(contract.voteOnProposal, {
  on: 'proposal',
  needs: 'read',
  async run(context, input) {
    const { db, actor, now, emit } = context;
    const council = await getCouncilById(db, context.proposal.council_id);
    const proposal = await resolveProposal(context, context.proposal);
    refuseEnded(proposal, 'voted on');
    await checkMember(context, council, 'vote');
    await upsertVote(db, {
      proposal_id: proposal.id,
      agent_id: actor.id,
      vote: input.vote,
      comment: input.comment,
      voted_at: now,
    });
    emit({
      type: 'proposal.voted',
      subject: { type: 'proposal', id: proposal.id },
      data: { vote: input.vote, title: proposal.title },
    });
    return toProposal(db, await resolveProposal(context, proposal), now);
  },
});

const withdraw = operation(contract.withdrawProposal, {
  on: 'proposal',
  needs: 'read',
  async run(context) {
    const { db, actor, proposal, now, emit } = context;
    if (proposal.proposed_by !== actor.id && !(await hasAdmin(context))) {
      const message = `${actor.name} may not withdraw ${handleOfProposal(proposal)}: who proposed it may, or an owner.`;
      throw new SwarmError('not_allowed', message);
    }
    refuseEnded(proposal, 'withdrawn');
    emit({
      type: 'proposal.withdrawn',
      subject: { type: 'proposal', id: proposal.id },
      data: { title: proposal.title },
    });
    const changes = { status: 'withdrawn', resolved_at: now };
    return toProposal(db, await updateProposalRow(db, proposal.id, changes), now);
  },
});

function refuseEnded(proposal: ProposalRow, tried: string): void {
  if (proposal.status === 'open') return;
  throw new SwarmError(
    'wrong_state',
    `Proposal ${handleOfProposal(proposal)} is ${proposal.status}: it cannot be ${tried}.`,
    { details: { status: proposal.status } },
  );
}

/** Recorded before anything is done, so that whoever finds it begun after a crash does the same thing. */
const begin = operation(contract.beginProposal, {
  on: 'proposal',
  needs: 'read',
  async run(context, input) {
    const { db, proposal, now } = context;
    refuseUnlessPending(context);
    const plan = proposal.plan === null ? input.plan : contract.ProposalPlan.parse(JSON.parse(proposal.plan));
    const begun = await updateProposalRow(db, proposal.id, {
      plan: JSON.stringify(plan),
      begun_at: proposal.begun_at ?? now,
    });
    const council = await getCouncilById(db, proposal.council_id);
    return { proposal: await toProposal(db, begun, now), plan, councilAgentId: council.agent_id };
  },
});

const record = operation(contract.recordExecution, {
  on: 'proposal',
  needs: 'admin',
  async run(context, input) {
    const { db, proposal, now, emit } = context;
    if (proposal.executed_at !== null) return toProposal(db, proposal, now);
    refuseUnlessPending(context);
    emit({
      type: 'proposal.executed',
      subject: { type: 'proposal', id: proposal.id },
      data: { type: proposal.type, title: proposal.title, ok: input.execution.ok },
    });
    const changes = { executed_at: now, execution_result: JSON.stringify(input.execution) };
    return toProposal(db, await updateProposalRow(db, proposal.id, changes), now);
  },
});

function refuseUnlessPending({ proposal }: ProposalContext): void {
  if (proposal.status === 'passed' && proposal.executed_at === null) return;
  const what = proposal.executed_at === null ? `is ${proposal.status}` : 'was carried out already';
  throw new SwarmError('wrong_state', `Proposal ${handleOfProposal(proposal)} ${what}.`);
}

export const proposalOperations = [create, list, show, vote, withdraw, begin, record];
