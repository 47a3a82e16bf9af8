import type { AgentRow, RepoRow, StreamRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf, findMaintainer, listMaintainerRows } from '../domain/access/access-store.ts';
import { findAgent, listAgentRows } from '../domain/agents/agents-store.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { assignReviewers } from '../domain/reviews/assign-reviewers.ts';
import { whyVoiceless } from '../domain/reviews/consensus.ts';
import { rulesFor } from '../domain/reviews/consensus-store.ts';
import { listReviewRows } from '../domain/reviews/reviews-store.ts';
import { listAuthorIds } from '../domain/streams/streams-store.ts';
import type { ReadContext } from './operation.ts';

type RepoContext = ReadContext & { repo: RepoRow };
type Role = 'owner' | 'maintainer' | null;

/** Where everybody decides, somebody among the first of this many agents is named. */
const MOST_CANDIDATES = 100;

/** The one agent whose verdict each of these streams waits for; none where nobody is left who could give one. */
export async function assignedReviewers(
  context: RepoContext,
  streams: StreamRow[],
): Promise<Map<string, AgentRow>> {
  if (streams.length === 0) return new Map();
  const people = await candidatesFor(context);
  const waiting = [];
  for (const stream of streams) {
    const candidates = [];
    for (const { agent, role } of people) {
      if (await waitsFor(context, { stream, agent, role })) candidates.push(agent.id);
    }
    waiting.push({ streamId: stream.id, candidates });
  }
  const byId = new Map(people.map(({ agent }) => [agent.id, agent]));
  const named = new Map<string, AgentRow>();
  for (const [streamId, agentId] of assignReviewers(waiting)) {
    const agent = byId.get(agentId);
    if (agent) named.set(streamId, agent);
  }
  return named;
}

/** Maintainers first; where everybody decides, others too. Only who may write. */
async function candidatesFor(context: RepoContext): Promise<{ agent: AgentRow; role: Role }[]> {
  const { db, repo, now } = context;
  const found = new Map<string, { agent: AgentRow; role: Role }>();
  for (const row of await listMaintainerRows(db, repo.id)) {
    const agent = await findAgent(db, row.agent_id);
    if (agent) found.set(agent.id, { agent, role: row.role as Role });
  }
  if (rulesFor(repo, configInForce(repo), []).model === 'open') {
    for (const agent of await listAgentRows(db, { status: 'active', limit: MOST_CANDIDATES })) {
      if (!found.has(agent.id)) found.set(agent.id, { agent, role: null });
    }
  }
  const able = [];
  for (const each of found.values()) {
    const { level } = await accessOf(db, repo, each.agent, now);
    if (includesLevel(level, 'write')) able.push(each);
  }
  return able;
}

/** True where this agent's verdict would count, and none of it stands on what the stream holds now. */
export async function awaitsVerdict(
  context: RepoContext,
  stream: StreamRow,
  agent: AgentRow,
): Promise<boolean> {
  const { db, repo, now } = context;
  if (!includesLevel((await accessOf(db, repo, agent, now)).level, 'write')) return false;
  const role = ((await findMaintainer(db, repo.id, agent.id))?.role ?? null) as Role;
  return waitsFor(context, { stream, agent, role });
}

/** The same for an agent who may write. */
async function waitsFor(
  { db, repo }: RepoContext,
  { stream, agent, role }: { stream: StreamRow; agent: AgentRow; role: Role },
): Promise<boolean> {
  const rules = rulesFor(repo, configInForce(repo), JSON.parse(stream.paths) as string[]);
  if (whyVoiceless(rules, role)) return false;
  if ((await listAuthorIds(db, stream)).includes(agent.id)) return false;
  const standing = await listReviewRows(db, { streamId: stream.id, standing: true, limit: 1000 });
  return !standing.some((row) => row.reviewer_id === agent.id && row.patch_id === stream.patch_id);
}
