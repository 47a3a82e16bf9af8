import { existsSync } from 'node:fs';
import { allPages } from '../../base/all-pages.ts';
import type { Agent } from '../../contract/agents.ts';
import { listStreams, type Stream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { adoptBranch } from '../adopt.ts';
import { createWorkspace } from '../create-workspace.ts';
import { restoreWorkspace } from '../destroy-workspace.ts';
import { asAgent, type SwarmRun } from './swarm-run.ts';

/** The agent's open stream for a task with its worktree, as it was left; a new one where there is none. */
export async function workspaceFor(run: SwarmRun, worker: Agent, task: Task): Promise<Stream> {
  const workflow = asAgent(run, worker);
  const begun = await openStreamFor(run, worker, task.id);
  if (!begun) {
    const made = await createWorkspace(workflow, { task: task.id });
    if (made.setup && !made.setup.ok) {
      run.tell({
        kind: 'note',
        text: `workspace.setup did not succeed for ${made.stream.handle}; the agent starts anyway`,
      });
    }
    return made.stream;
  }
  const workspace = findWorkspace(workflow.machine, begun.id);
  if (!workspace || !existsSync(workspace.path)) return (await restoreWorkspace(workflow, begun.id)).stream;
  return adoptBranch(workflow, begun);
}

export async function openStreamFor(
  run: SwarmRun,
  worker: Agent,
  taskId: string,
): Promise<Stream | undefined> {
  const open = await openStreamsOf(run, worker);
  return open.find((stream) => stream.taskId === taskId);
}

/** An agent's streams that can still come to something, newest first. */
export async function openStreamsOf(run: SwarmRun, worker: Agent): Promise<Stream[]> {
  const open = await allPages((cursor) =>
    run.base.authority.call(listStreams, {
      repoId: run.base.repo.id,
      author: worker.id,
      open: true,
      limit: 200,
      cursor,
    }),
  );
  return open
    .filter((stream) => stream.state !== 'paused')
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}
