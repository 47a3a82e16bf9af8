import { type Agent, showAgent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Proposal } from '../contract/proposals.ts';
import { explainAccess, listMaintainers } from '../contract/repos.ts';
import { includesLevel } from '../domain/access/access.ts';
import { actingAs, type Workflow } from './workflow.ts';

/**
 * Who carries out what a council has decided: the last who voted for it and may write; where nobody of them may, whom the
 * repository belongs to.
 */
export async function carrierOf({ authority, repo }: Workflow, { votes }: Proposal): Promise<Agent> {
  const inFavour = votes.filter(({ vote }) => vote === 'for').map(({ agentId }) => agentId);
  const { items } = await authority.call(listMaintainers, { repoId: repo.id, limit: 200 });
  for (const agent of [...inFavour.toReversed(), ...items.map((each) => each.agent.id)]) {
    const { level } = await authority.call(explainAccess, { repoId: repo.id, agent });
    if (includesLevel(level, 'write')) return authority.call(showAgent, { agent });
  }
  throw new SwarmError('not_allowed', `Nobody may carry out what the council of ${repo.name} has decided.`);
}

/** The workflow as whoever carries it out: its actor, and where that one may only read, somebody in whose name it may be. */
export async function asCarrier(workflow: Workflow, proposal: Proposal): Promise<Workflow> {
  const { authority, actor, repo } = workflow;
  // A server takes nobody's word for somebody else.
  if (authority.kind === 'server' || !actor) return workflow;
  const { level } = await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  return includesLevel(level, 'write') ? workflow : actingAs(workflow, await carrierOf(workflow, proposal));
}
