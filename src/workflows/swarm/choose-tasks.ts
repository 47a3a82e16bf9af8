import { allPages } from '../../base/all-pages.ts';
import type { Agent } from '../../contract/agents.ts';
import { listTasks, showTask, type Task } from '../../contract/tasks.ts';
import type { Workflow } from '../workflow.ts';

/**
 * The tasks a swarm works on: those that are named, or every open one that is ready or will be once others of these
 * are done; and what its workers hold from an earlier run.
 */
export async function chooseTasks(
  workflow: Workflow,
  wish: { tasks?: string[] | undefined; workers: Pick<Agent, 'id'>[] },
): Promise<Task[]> {
  if (wish.tasks) {
    const named = await Promise.all(wish.tasks.map((task) => workflow.authority.call(showTask, { task })));
    return named.filter((task, i) => named.findIndex((other) => other.id === task.id) === i);
  }
  const listed = async (status: 'open' | 'claimed') =>
    allPages((cursor) =>
      workflow.authority.call(listTasks, { repoId: workflow.repo.id, status, limit: 200, cursor }),
    );
  const ours = new Set(wish.workers.map((worker) => worker.id));
  const held = (await listed('claimed')).filter(
    (task) => task.claim !== null && ours.has(task.claim.agentId),
  );
  const open = (await listed('open')).filter((task) => task.blockedReason === null);
  return [...held, ...reachable(open, new Set(held.map((task) => task.id)))];
}

/** Ready tasks, then those that wait only for chosen ones, until nothing is added. */
function reachable(open: Task[], chosen: Set<string>): Task[] {
  const found: Task[] = [];
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    for (const task of open) {
      if (chosen.has(task.id) || !task.waitsFor.every((id) => chosen.has(id))) continue;
      chosen.add(task.id);
      found.push(task);
    }
  }
  return found;
}
