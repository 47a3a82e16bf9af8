import { SwarmError } from '../contract/errors.ts';
import type { Merge } from '../contract/merges.ts';
import type { Stream } from '../contract/streams.ts';
import { runChecks } from './run-checks.ts';
import type { Workflow } from './workflow.ts';

/** What the author of an evicted stream needs to know, and one command that shows it. */
export interface EvictionPacket {
  summary: string;
  commit: string;
  outputId: string | null;
  outputTail: string;
  reproduce: string;
}

export type CandidateVerdict =
  | { kind: 'passed'; runs: number }
  | { kind: 'red'; runs: number; packet: EvictionPacket };

const TAIL = 4000;

/**
 * Tests what would be on the buffer after a landing. One red run never evicts: a second, fresh one must agree. A
 * command that cannot be run blames nobody and throws.
 */
export async function testCandidate(
  workflow: Workflow,
  candidate: { commit: string; merge: Merge; stream: Stream | null },
): Promise<CandidateVerdict> {
  const { config } = workflow.repo;
  const command = config.stabilize_command;
  if (command === null) return { kind: 'passed', runs: 0 };
  const subject = candidate.stream?.id ?? candidate.merge.id;
  const request = { command, timeoutMs: config.queue.timeout, kind: 'test', subject };
  workflow.notify(
    `testing ${candidate.stream?.handle ?? candidate.merge.handle} on the tip of the buffer: ${command}`,
  );
  const first = await runChecks(workflow, candidate.commit, request);
  if (first.result === 'green') return { kind: 'passed', runs: first.cached ? 0 : 1 };
  if (first.result === 'error') throw cannotRun(command, first.output);
  workflow.notify('red; running once more before anyone is blamed');
  const second = await runChecks(workflow, candidate.commit, { ...request, fresh: true });
  const runs = first.cached ? 1 : 2;
  if (second.result === 'green') return { kind: 'passed', runs };
  if (second.result === 'error') throw cannotRun(command, second.output);
  const name = candidate.stream?.handle ?? candidate.merge.handle;
  return {
    kind: 'red',
    runs,
    packet: {
      summary: `${command} fails with ${name} on top of the buffer`,
      commit: candidate.commit,
      outputId: second.outputId,
      outputTail: second.output.slice(-TAIL),
      reproduce: `git worktree add --detach ../reproduce ${candidate.commit} && cd ../reproduce && ${command}`,
    },
  };
}

function cannotRun(command: string, output: string): SwarmError {
  return new SwarmError(
    'command_failed',
    `The command could not be run: ${command}\n${output.slice(-TAIL)}`,
    {
      fix: 'gitswarm config set stabilize_command "…", and workspace.setup for what it needs',
    },
  );
}
