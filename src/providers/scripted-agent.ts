import { stat } from 'node:fs/promises';
import * as z from 'zod';
import { type Clock, systemClock } from '../base/clock.ts';
import type { AgentAdapter, AgentJob, AgentOutcome, AgentResult } from './agent-adapter.ts';
import { AgentLog } from './agent-log.ts';
import { AgentScript } from './agent-script.ts';
import { type Cancellation, createCancellation } from './cancellation.ts';
import { playStep } from './play-step.ts';
import type { RunProcess } from './run-process.ts';
import { watchSilence } from './watch-silence.ts';

export interface ScriptedAgent {
  /** The script for a job, as JSON values that are still to be checked; undefined where there is none. */
  scriptFor: (job: AgentJob) => unknown;
  run: RunProcess;
  name?: string;
  clock?: Clock;
}

/** Plays an agent without any AI: for the demo and for tests, through the same doors as a real one. */
export function scriptedAgent(agent: ScriptedAgent): AgentAdapter {
  return {
    name: agent.name ?? 'scripted',
    start: (job) => {
      const cancellation = createCancellation(job.signal);
      return { done: play(agent, job, cancellation), cancel: cancellation.cancel };
    },
  };
}

async function play(agent: ScriptedAgent, job: AgentJob, cancellation: Cancellation): Promise<AgentResult> {
  const startedAt = performance.now();
  const log = new AgentLog(job, agent.clock ?? systemClock);
  const script = await findScript(agent, job, log).catch((error: unknown) => String(error));
  const outcome: AgentOutcome =
    typeof script === 'string'
      ? { kind: 'failed_to_start', reason: script }
      : await playScript(script, { job, log, run: agent.run, cancellation });
  log.status(outcome.kind);
  await log.close().catch(() => {}); // a disk that fills up does not undo the work
  const durationMs = performance.now() - startedAt;
  return { ...outcome, durationMs, outputTail: log.tail, stdoutTail: log.stdoutTail };
}

/** The checked script, or why there is none to play. */
async function findScript(agent: ScriptedAgent, job: AgentJob, log: AgentLog): Promise<AgentScript | string> {
  const problem = await log.close().catch((error: Error) => error.message);
  if (problem) return `The output file ${job.outputFile} cannot be written: ${problem}`;
  const folder = await stat(job.cwd).catch(() => undefined);
  if (!folder?.isDirectory()) return `There is no workspace ${job.cwd}`;
  const found = await agent.scriptFor(job);
  if (found === undefined) return 'There is no script for this job';
  const parsed = AgentScript.safeParse(found);
  return parsed.success ? parsed.data : `The script cannot be read: ${z.prettifyError(parsed.error)}`;
}

interface Stage {
  job: AgentJob;
  log: AgentLog;
  run: RunProcess;
  cancellation: Cancellation;
}

async function playScript(script: AgentScript, stage: Stage): Promise<AgentOutcome> {
  const { job, log, cancellation } = stage;
  if (cancellation.signal.aborted) return { kind: 'cancelled', reason: cancellation.reason() };
  using silence = watchSilence(job);
  log.onOutput = silence.touch;
  log.status('started');
  const signal = AbortSignal.any([cancellation.signal, silence.signal]);
  let exitCode: number | undefined;
  for (const step of script.steps) {
    exitCode = await playStep(step, { job, log, run: stage.run, signal });
    if (exitCode !== undefined || signal.aborted) break;
  }
  if (cancellation.signal.aborted) return { kind: 'cancelled', reason: cancellation.reason() };
  const which = silence.reached();
  return which ? { kind: 'timed_out', which } : { kind: 'finished', exitCode: exitCode ?? 0 };
}
