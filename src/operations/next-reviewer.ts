import type { AgentRow, RepoRow, StreamRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf, findMaintainer, listMaintainerRows } from '../domain/access/access-store.ts';
import { listTrust, NORMAL_TRUST } from '../domain/access/trust-store.ts';
import { findAgent, listAgentRows } from '../domain/agents/agents-store.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { assignReviewers } from '../domain/reviews/assign-reviewers.ts';
import { lacksVerdictOf, type Voter } from '../domain/reviews/awaited.ts';
import type { ConsensusFacts } from '../domain/reviews/consensus.ts';
import { consensusOf, judgedFacts, rulesFor } from '../domain/reviews/consensus-store.ts';
import { stateOf } from '../domain/streams/streams-store.ts';
import type { ReadContext } from './operation.ts';

type RepoContext = ReadContext & { repo: RepoRow };
type Candidate = { agent: AgentRow; voter: Voter };

/** Where everybody decides, somebody among the first of this many agents is named. */
const MOST_CANDIDATES = 100;

/** A stream on which verdicts are missing, with what they are counted by. */
export interface Awaiting {
  row: StreamRow;
  facts: ConsensusFacts;
}

/**
 * Those of these streams that wait for a verdict, in the same order. The stored approval is a cache that a change of
 * roles or rules does not touch: what counts is the consensus there is now.
 */
export async function awaitingVerdicts(
  { db, repo, now }: RepoContext,
  rows: StreamRow[],
): Promise<Awaiting[]> {
  const awaiting: Awaiting[] = [];
  for (const row of rows) {
    if (stateOf(row) !== 'in_review' && stateOf(row) !== 'approved') continue;
    if ((await consensusOf(db, repo, row, now)).reached) continue;
    awaiting.push({ row, facts: (await judgedFacts(db, repo, row, now)).facts });
  }
  return awaiting;
}

/** The one agent whose verdict each of these streams waits for; none where nobody is left who could give one. */
export async function assignedReviewers(
  context: RepoContext,
  awaiting: Awaiting[],
): Promise<Map<string, AgentRow>> {
  if (awaiting.length === 0) return new Map();
  const people = await candidatesFor(context);
  const waiting = awaiting.map(({ row, facts }) => ({
    streamId: row.id,
    candidates: people.filter(({ voter }) => lacksVerdictOf(facts, voter)).map(({ agent }) => agent.id),
  }));
  const byId = new Map(people.map(({ agent }) => [agent.id, agent]));
  const named = new Map<string, AgentRow>();
  for (const [streamId, agentId] of assignReviewers(waiting)) {
    const agent = byId.get(agentId);
    if (agent) named.set(streamId, agent);
  }
  return named;
}

/** Maintainers first; where everybody decides, others too. Only who may write. */
async function candidatesFor(context: RepoContext): Promise<Candidate[]> {
  const { db, repo } = context;
  const found = new Map<string, { agent: AgentRow; role: Voter['role'] }>();
  for (const row of await listMaintainerRows(db, repo.id)) {
    const agent = await findAgent(db, row.agent_id);
    if (agent) found.set(agent.id, { agent, role: row.role as Voter['role'] });
  }
  if (rulesFor(repo, configInForce(repo), []).model === 'open') {
    for (const agent of await listAgentRows(db, { status: 'active', limit: MOST_CANDIDATES })) {
      if (!found.has(agent.id)) found.set(agent.id, { agent, role: null });
    }
  }
  const trust = await listTrust(db, repo.id);
  const able: Candidate[] = [];
  for (const { agent, role } of found.values()) {
    const voter = await voterOf(context, agent, { role, trust });
    if (voter.eligible) able.push({ agent, voter });
  }
  return able;
}

/** This agent as one who judges here; one who may not write is not eligible. */
export async function findVoter(context: RepoContext, agent: AgentRow): Promise<Voter> {
  const { db, repo } = context;
  const role = ((await findMaintainer(db, repo.id, agent.id))?.role ?? null) as Voter['role'];
  return voterOf(context, agent, { role, trust: await listTrust(db, repo.id) });
}

async function voterOf(
  { db, repo, now }: RepoContext,
  agent: AgentRow,
  { role, trust }: { role: Voter['role']; trust: Map<string, number> },
): Promise<Voter> {
  return {
    reviewerId: agent.id,
    reviewerName: agent.name,
    isHuman: agent.kind === 'human',
    karma: agent.karma,
    trust: trust.get(agent.id) ?? NORMAL_TRUST,
    role,
    operator: agent.operator,
    eligible: includesLevel((await accessOf(db, repo, agent, now)).level, 'write'),
  };
}
