import { isSwarmError } from '../../contract/errors.ts';
import { showTask, type Task } from '../../contract/tasks.ts';
import { type StabilizeResult, stabilize } from '../stabilize.ts';
import { meetFault, type SwarmRun, type TaskOutcome } from './swarm-run.ts';

/**
 * Tests the buffer where something has landed since the last test. A red result puts the task of the culprit on hold
 * and chooses the task that repairs it, which is offered to the same agent first. Answers that task.
 */
export async function testBuffer(run: SwarmRun): Promise<Task | undefined> {
  if (run.untested === 0 || run.base.repo.config.stabilize_command === null) return undefined;
  run.untested = 0;
  const result = await tested(run);
  if (!result) return undefined;
  run.stabilizations.push(result);
  const { task, culprit } = result;
  run.tell({ kind: 'note', text: noteFor(result) });
  if (!task) return undefined;
  if (culprit?.stream?.taskId) run.onHold.add(culprit.stream.taskId);
  run.chosen.add(task.id);
  run.untested = result.healed ? 0 : 1;
  return task;
}

async function tested(run: SwarmRun): Promise<StabilizeResult | undefined> {
  try {
    return await stabilize(run.base);
  } catch (error) {
    if (run.signal.aborted) return undefined;
    if (!isSwarmError(error)) throw error;
    meetFault(run, error);
    return undefined;
  }
}

function noteFor({ result, commit, culprit, task, reason }: StabilizeResult): string {
  const at = commit.slice(0, 10);
  if (result === 'green') return `the buffer is green @ ${at}`;
  if (!task) return `the buffer is ${result} @ ${at}: ${reason ?? 'nobody is to blame'}`;
  return `the buffer is red @ ${at}: ${culprit?.stream?.handle ?? 'a landing'} was found and reverted; ${task.handle} repairs it`;
}

/** What became of each task in the end. What was landed and then reverted is done only when its repair has landed. */
export async function settleOutcomes(run: SwarmRun, tasks: Task[]): Promise<TaskOutcome[]> {
  const outcomes: TaskOutcome[] = [];
  for (const id of new Set([...tasks.map((task) => task.id), ...run.chosen])) {
    const now = await run.base.authority.call(showTask, { task: id });
    const known = run.outcomes.get(id);
    if (!known) outcomes.push(withoutLane(run, now));
    else if (known.state === 'done' && run.onHold.has(id) && now.status !== 'completed') {
      outcomes.push({ ...known, state: 'given_back', merged: false, reason: REVERTED });
    } else outcomes.push(known);
  }
  return outcomes;
}

const REVERTED = 'its landing was reverted and is not repaired';

function withoutLane(run: SwarmRun, task: Task): TaskOutcome {
  const isDone = task.status === 'completed';
  const waiting =
    task.status === 'claimed' || task.status === 'submitted'
      ? 'another agent has it'
      : task.waitsFor.length > 0
        ? 'waits for other tasks'
        : task.blockedReason;
  return {
    taskId: task.id,
    handle: task.handle,
    title: task.title,
    agent: null,
    streamId: task.claim?.streamId ?? null,
    stream: null,
    state: isDone ? 'done' : 'not_started',
    attempts: 0,
    commits: 0,
    merged: isDone,
    reason: isDone ? null : run.onHold.has(task.id) ? REVERTED : waiting,
  };
}
