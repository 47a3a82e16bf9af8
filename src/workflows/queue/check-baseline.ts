import { SwarmError } from '../../contract/errors.ts';
import { type CheckRequest, runChecks } from '../run-checks.ts';
import type { Workflow } from '../workflow.ts';

/**
 * Before anyone is blamed: the buffer without the stream is green on this machine. Throws where it is not; answers how
 * many runs that took, none where it is known.
 */
export async function checkBaseline(workflow: Workflow, tip: string, request: CheckRequest): Promise<number> {
  let runs = 0;
  for (const fresh of [false, true]) {
    const check = await runChecks(workflow, tip, { ...request, fresh });
    if (!check.cached) runs++;
    if (check.result === 'green') return runs;
    if (check.result === 'error') throw cannotRun(request.command, check.output);
  }
  throw new SwarmError(
    'baseline_red',
    `${request.command} fails on the buffer as it is (${tip.slice(0, 10)}): nobody in the queue is to blame.`,
    { fix: 'gitswarm stabilize' },
  );
}

const TAIL = 4000;

/** The command says nothing about anybody's work. */
export function cannotRun(command: string, output: string): SwarmError {
  const message = `The command could not be run: ${command}\n${output.slice(-TAIL)}`;
  return new SwarmError('command_failed', message, {
    fix: 'gitswarm config set stabilize_command "…", and workspace.setup for what it needs',
  });
}
