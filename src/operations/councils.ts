import { newId } from '../base/ids.ts';
import * as contract from '../contract/councils.ts';
import { SwarmError } from '../contract/errors.ts';
import type { AgentRow, CouncilRow, RepoRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { findAgentByName, getAgentByRef, updateAgentRow } from '../domain/agents/agents-store.ts';
import { makeAgent } from '../domain/agents/new-agent.ts';
import { giveRole, refreshCouncil, seat, unseat } from '../domain/councils/council-effects.ts';
import { whyNotSeat } from '../domain/councils/council-rules.ts';
import {
  clearChair,
  countSeatsEver,
  findCouncil,
  findSeat,
  getCouncil,
  insertCouncil,
  listSeats,
  settingColumns,
  settingsOf,
  toCouncil,
  toMembers,
  updateCouncil,
} from '../domain/councils/councils-store.ts';
import { findRunningElection, updateElectionRow } from '../domain/councils/elections-store.ts';
import {
  listOpenProposals,
  listProposalRows,
  updateProposalRow,
} from '../domain/councils/proposals-store.ts';
import { countContributions } from '../domain/merges/contributions-store.ts';
import { handleOf } from '../domain/references/references.ts';
import { rowsAfter } from './maintainers.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

type RepoContext = ActingContext & { repo: RepoRow };

const create = operation(contract.createCouncil, {
  on: 'repo',
  needs: 'admin',
  async run(context, { repoId: _repoId, ...settings }) {
    const { db, actor, repo, now, emit } = context;
    if (await findCouncil(db, repo.id)) {
      throw new SwarmError('already_exists', `${repo.name} has a council already.`, {
        fix: 'gitswarm council show',
      });
    }
    refuseUpsideDown(settings);
    const id = newId(context.clock.now());
    const row: CouncilRow = {
      id,
      repo_id: repo.id,
      agent_id: (await identityFor(context, id)).id,
      status: 'forming',
      ...settingColumns(settings),
      created_by: actor.id,
      created_at: now,
      updated_at: now,
    };
    await insertCouncil(db, row);
    emit({ type: 'council.created', subject: { type: 'council', id }, data: { ...settings } });
    return toCouncil(db, row, now);
  },
});

/** The identity under which decisions are carried out; that of a council before this one is used again. */
async function identityFor(context: RepoContext, councilId: string): Promise<AgentRow> {
  const name = `council of ${handleOf('repo', context.repo)}`;
  const before = await findAgentByName(context.db, name);
  if (before && before.council_id !== null) {
    return updateAgentRow(context.db, before.id, { council_id: councilId, updated_at: context.now });
  }
  const description = 'Carries out what the council has decided.';
  const free = before ? `${name} ${councilId.slice(-6)}` : name;
  return makeAgent(context, { name: free, kind: 'agent', description, councilId });
}

function refuseUpsideDown(settings: contract.CouncilSettings): void {
  if (settings.minMembers <= settings.maxMembers) return;
  const message = `A council cannot have ${settings.minMembers} members at least and ${settings.maxMembers} at most.`;
  throw new SwarmError('invalid', message);
}

const show = query(contract.showCouncil, {
  on: 'repo',
  needs: 'read',
  run: async ({ db, repo, now }) => toCouncil(db, await getCouncil(db, repo.id), now),
});

const set = operation(contract.setCouncil, {
  on: 'repo',
  needs: 'admin',
  async run(context, { repoId: _repoId, ...changes }) {
    const { db, repo, now, emit } = context;
    const council = await getCouncil(db, repo.id);
    const before = settingsOf(council);
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const settings = contract.CouncilSettings.parse({ ...before, ...given });
    refuseUpsideDown(settings);
    if (JSON.stringify(settings) === JSON.stringify(before)) return toCouncil(db, council, now);
    const changed = await updateCouncil(db, council.id, { ...settingColumns(settings), updated_at: now });
    emit({ type: 'council.changed', subject: { type: 'council', id: council.id }, data: given });
    return toCouncil(db, await refreshCouncil(context, changed), now);
  },
});

/** What is open ends with it, and what was decided but not carried out is not any more. */
const dissolve = operation(contract.dissolveCouncil, {
  on: 'repo',
  needs: 'admin',
  async run(context) {
    const { db, repo, now, emit } = context;
    const council = await getCouncil(db, repo.id);
    for (const proposal of await listOpenProposals(db, council.id)) {
      await updateProposalRow(db, proposal.id, { status: 'withdrawn', resolved_at: now });
      emit({ type: 'proposal.withdrawn', subject: { type: 'proposal', id: proposal.id } });
    }
    const execution = { ok: false, result: { reason: 'the council was dissolved' } };
    for (const proposal of await listProposalRows(db, { repoId: repo.id, pending: true, limit: 1000 })) {
      const done = { executed_at: now, execution_result: JSON.stringify(execution) };
      await updateProposalRow(db, proposal.id, done);
      emit({ type: 'proposal.executed', subject: { type: 'proposal', id: proposal.id }, data: execution });
    }
    const election = await findRunningElection(db, council.id);
    if (election) {
      await updateElectionRow(db, election.id, { status: 'cancelled', ended_at: now });
      emit({ type: 'election.cancelled', subject: { type: 'election', id: election.id } });
    }
    emit({ type: 'council.dissolved', subject: { type: 'council', id: council.id } });
    return toCouncil(db, await updateCouncil(db, council.id, { status: 'dissolved', updated_at: now }), now);
  },
});

const members = query(contract.listCouncilMembers, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, now }, input) {
    const council = await getCouncil(db, repo.id);
    const seats = await listSeats(db, council.id, now);
    const rows = rowsAfter(seats, decodeCursor(input.cursor), input.limit + 1);
    const page = nextPage(rows, input.limit, (row) => row.agent_id);
    return { items: await toMembers(db, page.items), nextCursor: page.nextCursor };
  },
});

const take = operation(contract.takeCouncilSeat, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now } = context;
    const council = await getCouncil(db, repo.id);
    const agent = input.agent === undefined ? actor : await getAgentByRef(db, input.agent);
    const isAdmin = await hasAdmin(context);
    if ((agent.id !== actor.id || input.role === 'chair') && !isAdmin) {
      throw new SwarmError('not_allowed', `${actor.name} may not give seats: that takes an owner.`, {
        fix: 'gitswarm council join',
      });
    }
    if (agent.council_id !== null || agent.status !== 'active') {
      throw new SwarmError('invalid', `${agent.name} cannot hold a seat.`);
    }
    const seats = await listSeats(db, council.id, now);
    const current = seats.find((row) => row.agent_id === agent.id);
    if (current) {
      const role = input.role ?? current.role;
      if (role !== current.role)
        await giveRole(context, council, {
          agentId: agent.id,
          name: agent.name,
          role: role === 'chair' ? 'chair' : 'member',
        });
      return toCouncil(db, council, now);
    }
    const founding = isAdmin && (await isFounding(context, council, seats.length));
    const contributions = await countContributions(db, repo.id, agent.id);
    const facts = {
      settings: settingsOf(council),
      seated: seats.length,
      karma: agent.karma,
      contributions,
      founding,
    };
    const why = whyNotSeat(facts);
    if (why) {
      const fix = 'gitswarm karma show; owners may change the gate: gitswarm council set --min-karma <n>';
      throw new SwarmError('gate_not_met', `${agent.name} cannot take a seat: ${why}.`, { fix });
    }
    if (input.role === 'chair') await clearChair(db, council.id);
    await seat(context, council, {
      agentId: agent.id,
      name: agent.name,
      role: input.role,
      reason: founding ? 'founding' : 'joined',
      by: actor.id,
    });
    return toCouncil(db, await refreshCouncil(context, council), now);
  },
});

/**
 * The first seats, as many as it takes to decide, are an owner's to give, once: a council that has shrunk would otherwise
 * be filled by whoever it is to look after.
 */
async function isFounding({ db }: RepoContext, council: CouncilRow, seated: number): Promise<boolean> {
  return seated < council.min_members && (await countSeatsEver(db, council)) < council.min_members;
}

const leave = operation(contract.leaveCouncilSeat, {
  on: 'repo',
  needs: 'read',
  async run(context, input) {
    const { db, actor, repo, now } = context;
    const council = await getCouncil(db, repo.id);
    const agent = await getAgentByRef(db, input.agent);
    if (agent.id !== actor.id && !(await hasAdmin(context))) {
      throw new SwarmError(
        'not_allowed',
        `${actor.name} may not take seats from others: that takes an owner.`,
      );
    }
    if (!(await findSeat(db, council.id, agent.id))) return toCouncil(db, council, now);
    const reason = agent.id === actor.id ? 'left' : 'removed';
    await unseat(context, council, { agentId: agent.id, reason });
    return toCouncil(db, await refreshCouncil(context, council), now);
  },
});

/** True where the caller owns the repository. */
export async function hasAdmin({ db, actor, repo, now }: RepoContext): Promise<boolean> {
  return includesLevel((await accessOf(db, repo, actor, now)).level, 'admin');
}

export const councilOperations = [create, show, set, dissolve, members, take, leave];
