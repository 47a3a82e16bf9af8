import pLimit from 'p-limit';
import { type Agent, registerAgent } from '../../contract/agents.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import { lockHolder, tryLock } from '../../machine/locks.ts';
import { promote } from '../promote.ts';
import { recover } from '../recover.ts';
import type { Workflow } from '../workflow.ts';
import { chooseTasks } from './choose-tasks.ts';
import { findAgent, gatherPlan, reviewerNames, workerNames } from './gather-plan.ts';
import { workLanes } from './lanes.ts';
import { planSwarm } from './plan-swarm.ts';
import { settleOutcomes, testBuffer } from './settle-buffer.ts';
import {
  mustStop,
  refreshRun,
  type SwarmNews,
  type SwarmReport,
  type SwarmRequest,
  type SwarmRun,
} from './swarm-run.ts';
import { withTrustedReviewers } from './trusted-reviewers.ts';

const ROUNDS = 5;

/**
 * Drives agents over the ready tasks to promoted work. Refuses before anything is started where the rules would let no
 * stream of its agents land. Ground truth is what is in the worktrees and how the tests end, never an agent's words.
 */
export async function runSwarm(
  workflow: Workflow,
  request: SwarmRequest,
  tell: (news: SwarmNews) => void,
): Promise<SwarmReport> {
  await refuseImpossible(workflow, request);
  const lock = tryLock(workflow.home, 'swarm');
  if (!lock) {
    throw new SwarmError('busy', `A swarm is at work here: ${lockHolder(workflow.home, 'swarm')}.`, {
      fix: 'Wait until it has ended, or stop it with Ctrl-C.',
    });
  }
  try {
    await recover(workflow);
    return await withReviewers(workflow, request, tell);
  } finally {
    lock.release();
  }
}

async function refuseImpossible(workflow: Workflow, request: SwarmRequest): Promise<void> {
  const { missing } = planSwarm(await gatherPlan(workflow, request));
  const [first] = missing;
  if (!first) return;
  throw new SwarmError(
    'gate_not_met',
    `Nothing of this swarm could get through: ${missing.map((each) => each.what).join('; ')}.`,
    {
      fix: missing.map((each) => each.fix).join('  and  '),
      details: { missing },
    },
  );
}

async function withReviewers(
  workflow: Workflow,
  request: SwarmRequest,
  tell: (news: SwarmNews) => void,
): Promise<SwarmReport> {
  const workers = await enlist(workflow, workerNames(request.agents), 'works in swarms');
  const reviewers = await enlist(workflow, reviewerNames(request.reviewers), 'reviews in swarms');
  const drive = (trusted: Agent[]) => driveSwarm(workflow, { request, workers, reviewers, trusted, tell });
  return request.trustReviewers ? withTrustedReviewers(workflow, reviewers, drive) : drive([]);
}

/** Agents of these names, registered where they are not yet. */
async function enlist(workflow: Workflow, names: string[], description: string): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (const name of names) {
    const known = await findAgent(workflow, name);
    agents.push(known ?? (await workflow.authority.call(registerAgent, { name, description })).agent);
  }
  return agents;
}

interface Crew {
  request: SwarmRequest;
  workers: Agent[];
  reviewers: Agent[];
  trusted: Agent[];
  tell(news: SwarmNews): void;
}

async function driveSwarm(workflow: Workflow, crew: Crew): Promise<SwarmReport> {
  const { request, workers, reviewers, trusted, tell } = crew;
  const time = new AbortController();
  const timer = request.maxMs === undefined ? undefined : setTimeout(() => time.abort('time'), request.maxMs);
  const signals = [time.signal, ...(workflow.signal ? [workflow.signal] : [])];
  const signal = AbortSignal.any(signals);
  const tasks = await chooseTasks(workflow, { tasks: request.tasks, workers });
  const run: SwarmRun = {
    request,
    base: { ...workflow, signal },
    workers,
    reviewers,
    chosen: new Set(tasks.map((task) => task.id)),
    onHold: new Set(),
    outcomes: new Map(),
    stabilizations: [],
    landings: 0,
    untested: 0,
    landing: pLimit(1),
    desks: new Map(reviewers.map((reviewer) => [reviewer.id, pLimit(1)])),
    signal,
    fault: undefined,
    tell,
  };
  try {
    await refreshRun(run);
    await toGreen(run);
    if (run.fault) throw run.fault;
    const promotion = await promoteAtEnd(run);
    const stopped = !signal.aborted ? 'finished' : time.signal.aborted ? 'time' : 'interrupted';
    return {
      tasks: await settleOutcomes(run, tasks),
      stabilizations: run.stabilizations,
      promotion,
      stopped,
      trusted: trusted.map((agent) => agent.name),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Lanes until nothing is left, then the test of the buffer; a red one opens work for the lanes again. */
async function toGreen(run: SwarmRun): Promise<void> {
  for (let round = 0; round < ROUNDS && !mustStop(run); round++) {
    await workLanes(run);
    if (mustStop(run)) return;
    const repair = await testBuffer(run);
    if (!repair) return;
  }
}

async function promoteAtEnd(run: SwarmRun): Promise<SwarmReport['promotion']> {
  if (mustStop(run)) return null;
  try {
    return await promote(run.base);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    return { promoted: false, reason: error.fix ? `${error.message} (${error.fix})` : error.message };
  }
}
