import { isoTime } from '../../base/clock.ts';
import { type Agent, showAgent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { explainAccess } from '../../contract/repos.ts';
import { accessLevel } from '../../domain/access/access.ts';
import { untrustedCommands } from '../trust.ts';
import { actorOf, type Workflow } from '../workflow.ts';
import type { PlanFacts, Standing } from './plan-swarm.ts';

/** What the rules know of the agents of a swarm, those that are not registered yet included. Writes nothing. */
export async function gatherPlan(
  workflow: Workflow,
  wish: { agents: number; reviewers: number; trustReviewers: boolean },
): Promise<PlanFacts> {
  const named = (names: string[]) => Promise.all(names.map((name) => standingOf(workflow, name)));
  return {
    repo: workflow.repo,
    runner: await standingOf(workflow, actorOf(workflow).id),
    workers: await named(workerNames(wish.agents)),
    reviewers: await named(reviewerNames(wish.reviewers)),
    trustReviewers: wish.trustReviewers,
    untrusted: untrustedCommands(workflow).map((each) => each.setting),
  };
}

export function workerNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `worker-${i + 1}`);
}

export function reviewerNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `reviewer-${i + 1}`);
}

async function standingOf(workflow: Workflow, ref: string): Promise<Standing> {
  const agent = await findAgent(workflow, ref);
  if (!agent) return newcomer(workflow, ref);
  const { level, isOwner, isMaintainer } = await workflow.authority.call(explainAccess, {
    repoId: workflow.repo.id,
    agent: agent.id,
  });
  const role = isOwner ? 'owner' : isMaintainer ? 'maintainer' : null;
  return { name: agent.name, level, role, karma: agent.karma, isHuman: agent.kind === 'human' };
}

/** The agent of exactly this name or id. */
export async function findAgent(workflow: Workflow, ref: string): Promise<Agent | undefined> {
  try {
    const agent = await workflow.authority.call(showAgent, { agent: ref });
    return agent.name === ref || agent.id === ref ? agent : undefined;
  } catch (error) {
    if (isSwarmError(error, 'not_found') || isSwarmError(error, 'ambiguous')) return undefined;
    throw error;
  }
}

function newcomer(workflow: Workflow, name: string): Standing {
  const { level } = accessLevel({
    agent: { status: 'active', karma: 0 },
    role: null,
    grant: null,
    settings: workflow.repo.settings,
    archived: workflow.repo.status === 'archived',
    now: isoTime(workflow.clock.now()),
  });
  return { name, level, role: null, karma: 0, isHuman: false };
}
