import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type AgentJob, OUTPUT_TAIL_BYTES } from './agent-adapter.ts';
import type { AgentLog } from './agent-log.ts';
import type { AgentStep } from './agent-script.ts';
import type { RunProcess } from './run-process.ts';
import { VERDICT_FILE_VARIABLE, type Verdict } from './verdict.ts';
import { type WorkspaceFiles, workspaceFiles } from './workspace-files.ts';

export interface StepSurroundings {
  job: AgentJob;
  log: AgentLog;
  run: RunProcess;
  signal: AbortSignal;
}

/** Plays one step: the exit code where it ends the script, else undefined. */
export async function playStep(step: AgentStep, around: StepSurroundings): Promise<number | undefined> {
  const { log } = around;
  if ('say' in step) {
    log.output(`${step.say}\n`);
    return undefined;
  }
  if ('run' in step) return await runProgram(step.run, around);
  if ('verdict' in step) return await giveVerdict(step, around);
  if ('fail' in step) return refuse(step.fail, log);
  const problem = await touchFiles(step, around).catch((error: Error) => error.message);
  return problem === undefined ? undefined : refuse(problem, log);
}

function refuse(problem: string, log: AgentLog): number {
  log.output(`${problem}\n`, 'stderr');
  return 1;
}

type FileStep = Exclude<
  AgentStep,
  { say: string } | { run: string[] } | { fail: string } | { verdict: Verdict['verdict'] }
>;

/** Says what went wrong, or nothing. */
async function touchFiles(step: FileStep, around: StepSurroundings): Promise<string | undefined> {
  const files = workspaceFiles(around.job.cwd);
  if ('write' in step) await files.write(step.write.path, step.write.content);
  else if ('append' in step) await files.append(step.append.path, step.append.content);
  else if ('delete' in step) await files.remove(step.delete.path);
  else if ('replace' in step) return await replaceIn(files, step.replace);
  else await waitFor(files, step.wait_for_file, around.signal);
  return undefined;
}

async function replaceIn(
  files: WorkspaceFiles,
  change: { path: string; find: string; with: string },
): Promise<string | undefined> {
  const before = await files.read(change.path);
  const parts = before.split(change.find);
  if (parts.length !== 2) {
    return `${change.path} holds ${JSON.stringify(change.find)} ${parts.length - 1} times, not once`;
  }
  await files.write(change.path, parts.join(change.with));
  return undefined;
}

async function waitFor(files: WorkspaceFiles, path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await files.has(path))) {
    await pause(20, undefined, { signal }).catch(() => {}); // the loop sees the abort
  }
}

async function runProgram(argv: string[], around: StepSurroundings): Promise<number | undefined> {
  const { job, log, signal } = around;
  const result = await around.run({
    ...{ argv, cwd: job.cwd, env: job.env, timeoutMs: job.timeoutMs, signal },
    maxOutputBytes: OUTPUT_TAIL_BYTES,
    onOutput: (text, source) => log.output(text, source),
  });
  if (result.kind === 'exited') return result.code === 0 ? undefined : result.code;
  if (result.kind === 'cancelled') return undefined;
  return refuse(`${argv[0]}: ${result.kind === 'not_started' ? result.reason : result.kind}`, log);
}

/** Gives the verdict in both ways of the protocol; only a reviewer may. */
async function giveVerdict(verdict: Verdict, around: StepSurroundings): Promise<number | undefined> {
  const { job, log } = around;
  if (job.role !== 'reviewer') return refuse('Only a reviewer gives a verdict', log);
  const line = `${JSON.stringify(verdict)}\n`;
  const path = job.env[VERDICT_FILE_VARIABLE];
  const problem = path && (await writeFile(path, line).catch((error: Error) => error.message));
  if (problem) return refuse(`The verdict file ${path} cannot be written: ${problem}`, log);
  log.output(line);
  return undefined;
}
