import { isSwarmError } from '../../contract/errors.ts';
import { abandonClaim } from '../../contract/tasks.ts';
import { commitLeft } from './commit-left.ts';
import type { Begun } from './passage.ts';
import { asAgent, type SwarmRun } from './swarm-run.ts';

/** Gives a task back. What was done for it stays: committed on its stream, else in a snapshot and in the worktree. */
export async function giveBack(run: SwarmRun, passage: Begun, reason: string): Promise<void> {
  const workflow = asAgent(run, passage.worker);
  await keepWork(run, passage);
  try {
    await workflow.authority.call(abandonClaim, { claim: passage.task.id, reason: oneLine(reason) });
  } catch (error) {
    // The claim may be over or another's by now, which is as good as given back.
    if (!isSwarmError(error)) throw error;
  }
}

async function keepWork(run: SwarmRun, { worker, stream, task }: Begun): Promise<void> {
  if (!stream) return;
  try {
    await commitLeft(asAgent(run, worker), stream, task);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    run.tell({
      kind: 'note',
      text: `what ${worker.name} left for ${stream.handle} stays in its worktree: ${error.message}`,
    });
  }
}

function oneLine(text: string): string {
  return (
    text
      .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
      .trim()
      .slice(0, 500) || 'given back'
  );
}
