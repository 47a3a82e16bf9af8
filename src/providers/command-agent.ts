import { constants } from 'node:os';
import { type Clock, isoTime, systemClock } from '../base/clock.ts';
import { isSwarmError } from '../contract/errors.ts';
import {
  type AgentAdapter,
  type AgentJob,
  type AgentOutcome,
  type AgentResult,
  OUTPUT_TAIL_BYTES,
} from './agent-adapter.ts';
import { type Cancellation, createCancellation } from './cancellation.ts';
import type { ProcessResult, RunProcess } from './run-process.ts';

export interface CommandAgent {
  /** A line for /bin/sh; it gets the prompt on standard input. */
  command: string;
  run: RunProcess;
  name?: string;
  clock?: Clock;
}

/** Any program as an agent: prompt on standard input, work in the workspace, exit code 0 for "done". */
export function commandAgent(agent: CommandAgent): AgentAdapter {
  return {
    name: agent.name ?? 'command',
    start: (job) => {
      const cancellation = createCancellation(job.signal);
      return { done: play(agent, job, cancellation), cancel: cancellation.cancel };
    },
  };
}

async function play(agent: CommandAgent, job: AgentJob, cancellation: Cancellation): Promise<AgentResult> {
  const { run, clock = systemClock } = agent;
  const tell = (type: 'output' | 'status', text: string) =>
    job.onEvent?.({ type, text, at: isoTime(clock.now()) });
  if (!cancellation.signal.aborted) tell('status', 'started');
  try {
    const result = await run({
      ...{ command: agent.command, cwd: job.cwd, env: job.env, input: job.prompt },
      ...{ timeoutMs: job.timeoutMs, idleTimeoutMs: job.idleTimeoutMs, outputFile: job.outputFile },
      ...{ maxOutputBytes: OUTPUT_TAIL_BYTES, signal: cancellation.signal },
      onOutput: (text) => tell('output', text),
    });
    const outcome = outcomeOf(result, cancellation);
    tell('status', outcome.kind);
    return {
      ...outcome,
      durationMs: result.durationMs,
      outputTail: result.output,
      stdoutTail: result.stdoutTail,
    };
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    const reason = error.fix ? `${error.message} (${error.fix})` : error.message;
    return { kind: 'failed_to_start', reason, durationMs: 0, outputTail: '', stdoutTail: '' };
  }
}

function outcomeOf(result: ProcessResult, cancellation: Cancellation): AgentOutcome {
  switch (result.kind) {
    case 'exited':
      return { kind: 'finished', exitCode: result.code };
    case 'signalled':
      return { kind: 'finished', exitCode: 128 + constants.signals[result.signal] };
    case 'timed_out':
      return { kind: 'timed_out', which: result.which };
    case 'not_started':
      return { kind: 'failed_to_start', reason: result.reason };
    case 'cancelled':
      return { kind: 'cancelled', reason: cancellation.reason() };
  }
}
