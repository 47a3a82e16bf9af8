import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { randomHex } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import { CaptureOutput } from './capture-output.ts';
import type { CommandOutcome, CommandRequest, CommandResult, Isolation, IsolationWish } from './command.ts';
import { commandLine, STATUS_DESCRIPTOR } from './command-line.ts';
import { type Ending, endedOutcome, stoppedOutcome } from './command-outcome.ts';
import { probeSandbox, type SandboxReport } from './probe-sandbox.ts';
import { endGroup } from './process-group.ts';
import { type LimitWatch, watchLimits } from './watch-limits.ts';

const GRACE_MS = 2000;
// How long an output pipe may stay open after everything that can be found has been ended.
const DRAIN_MS = 1000;

/**
 * Runs one command to its end, within its limits, and leaves no process of it behind. Throws only where the request
 * cannot be met at all, `required` isolation that is not there, and for a listener that threw (after the command was
 * ended).
 */
export async function runCommand(request: CommandRequest, sandbox?: SandboxReport): Promise<CommandResult> {
  const report = sandbox ?? (await probeSandbox());
  const isolation = chooseIsolation(request.isolation, report);
  const capture = new CaptureOutput(request);
  const startedAt = performance.now();
  let outcome: CommandOutcome = { kind: 'cancelled' };
  let durationMs = 0;
  const ended = () => {
    durationMs = performance.now() - startedAt;
  };
  try {
    if (!request.signal?.aborted) outcome = await carryOut(request, { report, isolation, capture, ended });
  } finally {
    await capture.close();
  }
  return { ...outcome, ...capture.captured(), durationMs, isolation };
}

interface Surroundings {
  report: SandboxReport;
  isolation: Isolation;
  capture: CaptureOutput;
  /** Called when the command has ended or is about to be stopped. */
  ended(): void;
}

async function carryOut(request: CommandRequest, around: Surroundings): Promise<CommandOutcome> {
  const { isolation, capture } = around;
  const problem = await capture.openFile();
  if (problem !== undefined) return { kind: 'not_started', reason: problem };
  const mark = randomHex(16);
  const child = await start(request, around, mark).catch((error: Error) => error);
  if (child instanceof Error) return { kind: 'not_started', reason: child.message };

  using watch = watchLimits(request);
  const listening = listen(child, capture, watch);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  child.stdin?.on('error', () => {}); // a command need not read what it is sent
  child.stdin?.end(request.input);

  const ending = await Promise.race([exited, watch.reached]);
  around.ended();
  const leaderTakesTerm = isolation === 'plain';
  await endGroup({ pid: child.pid ?? 0, mark, graceMs: request.graceMs ?? GRACE_MS, leaderTakesTerm });
  await Promise.race([closed, pause(DRAIN_MS, undefined, { ref: false })]);
  release(child);

  if (listening.failures.length > 0) throw listening.failures[0];
  if (typeof ending === 'string') return stoppedOutcome(ending);
  return endedOutcome(ending, { isolation, status: listening.status(), output: capture.captured().output });
}

function chooseIsolation(wish: IsolationWish, report: SandboxReport): Isolation {
  if (wish === 'off') return 'plain';
  if (wish === 'required' && report.isolation === 'plain') {
    throw new SwarmError(
      'not_configured',
      `The command must run in a sandbox, and there is none: ${report.reason}`,
      {
        fix: 'install bubblewrap (apt-get install bubblewrap, dnf install bubblewrap), or set sandbox: auto',
      },
    );
  }
  return report.isolation;
}

/** Resolves when the process exists; rejects where it cannot be made. */
async function start(request: CommandRequest, around: Surroundings, mark: string): Promise<ChildProcess> {
  const { report, isolation } = around;
  const folder = await stat(request.cwd).catch(() => undefined);
  if (!folder?.isDirectory()) throw new Error(`There is no folder ${request.cwd} to run the command in`);
  const line = await commandLine(request, report, { isolation, mark });
  const status = isolation === 'bubblewrap' ? (['pipe'] as const) : [];
  const child = spawn(line.file, line.args, {
    cwd: request.cwd,
    env: line.env,
    detached: true, // a session, and so a group, of its own
    stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...status],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', reject);
  });
  return child;
}

function listen(child: ChildProcess, capture: CaptureOutput, watch: LimitWatch) {
  const failures: unknown[] = [];
  let status = '';
  const hooks = {
    onChunk: watch.touch,
    onError: (error: unknown) => {
      failures.push(error);
      watch.stop('cancelled');
    },
  };
  if (child.stdout) capture.read(child.stdout, 'stdout', hooks);
  if (child.stderr) capture.read(child.stderr, 'stderr', hooks);
  const reports = child.stdio[STATUS_DESCRIPTOR];
  if (reports instanceof Readable) reports.on('data', (chunk) => (status += String(chunk)));
  return { failures, status: () => status };
}

/** Lets go of pipes that something we could not end still holds open. */
function release(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
}
