import type { Agent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { destroyWorkspace } from '../destroy-workspace.ts';
import { nextJob } from './next-job.ts';
import { testBuffer } from './settle-buffer.ts';
import { asAgent, meetFault, mustStop, refreshRun, type Stage, type SwarmRun } from './swarm-run.ts';
import { workTask } from './work-task.ts';

/** In swarm mode work lands untested: the buffer is tested after every so many landings. */
const TESTED_EVERY = 4;

/** Each worker takes one task after the other, until none is left that could become ready. */
export async function workLanes(run: SwarmRun): Promise<void> {
  const bell = makeBell();
  let busy = 0;
  const lane = async (worker: Agent): Promise<void> => {
    for (;;) {
      const heard = bell.next();
      busy++;
      const worked = await workNext(run, worker).catch((error: unknown) => {
        meetFault(run, error);
        return false;
      });
      busy--;
      // Nothing is ready. While others are at work, what they land may make something ready.
      if (!worked && (busy === 0 || mustStop(run))) break;
      if (worked) bell.ring();
      else await heard;
    }
    bell.ring();
    run.tell({ kind: 'stage', agent: worker.name, task: null, title: '', stage: 'idle', detail: '' });
  };
  await Promise.all(run.workers.map(lane));
}

/** False where there was nothing to do. */
async function workNext(run: SwarmRun, worker: Agent): Promise<boolean> {
  const task = await nextJob(run, worker);
  if (!task) return false;
  const tell = (stage: Stage) =>
    run.tell({ kind: 'stage', agent: worker.name, task: task.handle, title: task.title, stage, detail: '' });
  tell('claim');
  await refreshRun(run);
  const outcome = await workTask(run, worker, task);
  run.outcomes.set(task.id, outcome);
  if (outcome.state === 'done') {
    tell('landed');
    await clearAway(run, worker, outcome.streamId);
  }
  const isDue = run.base.repo.mergeMode === 'swarm' && run.untested >= TESTED_EVERY;
  if (isDue && !mustStop(run)) await testBuffer(run);
  return true;
}

/** The worktree of a stream that has landed is not needed any more; one that holds anything else stays. */
async function clearAway(run: SwarmRun, worker: Agent, streamId: string | null): Promise<void> {
  if (streamId === null || !findWorkspace(run.base.machine, streamId)) return;
  try {
    await destroyWorkspace(asAgent(run, worker), streamId);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    run.tell({ kind: 'note', text: `a worktree of ${worker.name} stays: ${error.message}` });
  }
}

/** Wakes everyone who waits, each time something has ended. */
function makeBell(): { next(): Promise<void>; ring(): void } {
  let waiting = Promise.withResolvers<void>();
  return {
    next: () => waiting.promise,
    ring: () => {
      waiting.resolve();
      waiting = Promise.withResolvers<void>();
    },
  };
}
