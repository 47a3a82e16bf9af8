import { allPages } from '../../base/all-pages.ts';
import type { Agent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { claimTask, listTasks, nextTask, showTask, type Task } from '../../contract/tasks.ts';
import { asAgent, mustStop, type SwarmRun } from './swarm-run.ts';
import { openStreamsOf } from './workspace-for.ts';

const MOST_AT_ONCE = 1000;

/**
 * What this agent does next: first what it has begun, then the most urgent of the chosen tasks that are ready, claimed
 * in the same step. Tasks that another agent of the swarm has begun are left to that one.
 */
export async function nextJob(run: SwarmRun, worker: Agent): Promise<Task | undefined> {
  if (mustStop(run)) return undefined;
  const begun = await begunTask(run, worker);
  if (begun) return begun;
  const taken = new Set([...run.outcomes.keys(), ...run.onHold, ...(await begunByOthers(run, worker))]);
  const among = [...run.chosen].filter((id) => !taken.has(id)).slice(0, MOST_AT_ONCE);
  if (among.length === 0) return undefined;
  const { task } = await asAgent(run, worker).authority.call(nextTask, {
    repoId: run.base.repo.id,
    claim: true,
    among,
  });
  return task ?? undefined;
}

async function begunTask(run: SwarmRun, worker: Agent): Promise<Task | undefined> {
  const claimed = await allPages((cursor) =>
    run.base.authority.call(listTasks, {
      repoId: run.base.repo.id,
      claimedBy: worker.id,
      status: 'claimed',
      limit: 200,
      cursor,
    }),
  );
  const held = claimed.find((task) => isWanted(run, task.id));
  if (held) return held;
  // A claim whose lease ran out while nothing ran: its stream is still there.
  for (const stream of await openStreamsOf(run, worker)) {
    if (stream.taskId !== null && isWanted(run, stream.taskId)) {
      const again = await takeAgain(run, worker, stream.taskId);
      if (again) return again;
    }
  }
  return undefined;
}

async function takeAgain(run: SwarmRun, worker: Agent, taskId: string): Promise<Task | undefined> {
  const task = await run.base.authority.call(showTask, { task: taskId });
  if (task.status === 'completed' || task.status === 'cancelled' || task.status === 'submitted')
    return undefined;
  try {
    return (await asAgent(run, worker).authority.call(claimTask, { task: taskId })).task;
  } catch (error) {
    if (isSwarmError(error)) return undefined;
    throw error;
  }
}

function isWanted(run: SwarmRun, taskId: string): boolean {
  return run.chosen.has(taskId) && !run.outcomes.has(taskId) && !run.onHold.has(taskId);
}

async function begunByOthers(run: SwarmRun, worker: Agent): Promise<string[]> {
  const others = run.workers.filter((other) => other.id !== worker.id);
  const streams = await Promise.all(others.map((other) => openStreamsOf(run, other)));
  return streams.flat().flatMap((stream) => (stream.taskId === null ? [] : [stream.taskId]));
}
