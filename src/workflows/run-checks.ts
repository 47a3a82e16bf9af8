import { isoTime } from '../base/clock.ts';
import { sha256 } from '../base/digest.ts';
import { treeOf } from '../git/commits.ts';
import { listTreeFiles } from '../git/tree-files.ts';
import type { Checkout } from '../machine/checkouts.ts';
import { finishRunOutput, startRunOutput } from '../machine/run-outputs.ts';
import { isTrusted } from '../machine/trusted-commands.ts';
import { countRuns, findVerdict, recordVerdict, type VerdictKey } from '../machine/verdicts.ts';
import type { CommandResult } from '../sandbox/command.ts';
import { commandEnvironment } from '../sandbox/command-environment.ts';
import { runCommand } from '../sandbox/run-command.ts';
import { copyIgnored, withCheckout } from './checkout-pool.ts';
import { requireTrust } from './trust.ts';
import type { Workflow } from './workflow.ts';

/** The outcome of the repository's command on a commit. `error` blames nobody: it could not be run at all. */
export interface CheckRun {
  result: 'green' | 'red' | 'error';
  /** Start and end of the output. */
  output: string;
  durationMs: number;
  outputId: string | null;
  /** Taken from an earlier run on the same files. */
  cached: boolean;
}

export interface CheckRequest {
  command: string;
  timeoutMs: number;
  /** What is tested, for the record: `stabilize`, a stream. */
  kind: string;
  subject: string;
  /** Runs even where a verdict on the same files is known: a confirmation must be a run of its own. */
  fresh?: boolean;
}

const KEPT_OUTPUT = 64 * 1024;
const KEPT_FILE = 64 * 1024 * 1024;
const SETUP_TIMEOUT_MS = 30 * 60_000;

/** Runs the repository's command on exactly this commit, in a checkout of its own. */
export async function runChecks(
  workflow: Workflow,
  commit: string,
  request: CheckRequest,
): Promise<CheckRun> {
  requireTrust(workflow, 'stabilize_command', request.command);
  const key = await verdictKey(workflow, commit, request.command);
  const known = request.fresh ? undefined : findVerdict(workflow.machine, key);
  if (known) {
    return {
      result: known.result,
      output: '',
      durationMs: known.durationMs,
      outputId: known.outputId,
      cached: true,
    };
  }
  return withCheckout(workflow, commit, async (directory, checkout) => {
    const setup = await setUp(workflow, commit, { directory, checkout });
    if (setup) return setup;
    const run = await runIn(workflow, directory, request);
    if (run.result !== 'error') {
      countRuns(workflow.machine, key.commandHash, { runs: 1, flakes: 0 });
      recordVerdict(workflow.machine, key, {
        result: run.result,
        durationMs: run.durationMs,
        outputId: run.outputId,
        createdAt: isoTime(workflow.clock.now()),
      });
    }
    return run;
  });
}

/** A red run of this command turned out to say nothing: the same work was green. */
export function countFlake(workflow: Workflow, command: string): void {
  countRuns(workflow.machine, hash(command), { runs: 0, flakes: 1 });
}

async function verdictKey(workflow: Workflow, commit: string, command: string): Promise<VerdictKey> {
  const { setup, copy } = workflow.repo.config.workspace;
  return {
    tree: await treeOf(workflow.git, commit),
    commandHash: hash(command),
    environmentHash: hash(JSON.stringify([setup, copy, process.version, process.platform, process.arch])),
  };
}

/** Installs dependencies where the lock files or the setup command have changed; answers only if that failed. */
async function setUp(
  workflow: Workflow,
  commit: string,
  place: { directory: string; checkout: Checkout },
): Promise<CheckRun | undefined> {
  const { setup } = workflow.repo.config.workspace;
  copyIgnored(workflow, place.directory);
  if (setup === null) return undefined;
  const setupHash = hash(`${setup}\n${await lockFiles(workflow, commit)}`);
  if (place.checkout.setup_hash === setupHash) return undefined;
  requireTrust(workflow, 'workspace.setup', setup);
  const run = await runIn(workflow, place.directory, {
    command: setup,
    timeoutMs: SETUP_TIMEOUT_MS,
    kind: 'setup',
    subject: commit,
    network: true,
  });
  if (run.result === 'green') {
    place.checkout.setup_hash = setupHash;
    return undefined;
  }
  return { ...run, result: 'error', output: `workspace.setup failed: ${setup}\n${run.output}` };
}

const LOCK_FILE =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|go\.sum|poetry\.lock|uv\.lock|Pipfile\.lock|requirements[^/]*\.txt|Gemfile\.lock|composer\.lock|package\.json|pyproject\.toml)$/;

/** Names and contents of the files that say what must be installed. */
async function lockFiles(workflow: Workflow, commit: string): Promise<string> {
  const files = await listTreeFiles(workflow.git, commit);
  return files
    .filter((file) => LOCK_FILE.test(file.path))
    .map((file) => `${file.path} ${file.oid}`)
    .join('\n');
}

async function runIn(
  workflow: Workflow,
  directory: string,
  request: CheckRequest & { network?: boolean },
): Promise<CheckRun> {
  const started = startRunOutput(workflow.machine, {
    kind: request.kind,
    subject: request.subject,
    at: isoTime(workflow.clock.now()),
  });
  const result = await runCommand({
    command: request.command,
    cwd: directory,
    env: commandEnvironment({ base: workflow.variables }),
    timeoutMs: request.timeoutMs,
    maxOutputBytes: KEPT_OUTPUT,
    maxOutputFileBytes: KEPT_FILE,
    outputFile: started.path,
    isolation: workflow.repo.config.sandbox,
    network: request.network ?? false,
    ...reachOf(workflow),
    signal: workflow.signal,
  });
  finishRunOutput(workflow.machine, started.id, {
    exit: result.kind === 'exited' ? result.code : null,
    truncated: !result.outputFileComplete,
    at: isoTime(workflow.clock.now()),
  });
  return {
    result: verdictOf(result),
    output: explain(result) + result.output,
    durationMs: Math.round(result.durationMs),
    outputId: started.id,
    cached: false,
  };
}

/** At a server a command sees the history of its own repository, and nothing that is kept beside it. */
function reachOf({ git, hides, home }: Workflow) {
  if (!hides) return { writable: [git.commonDir] };
  return { writable: [], hidden: [...hides, home], readable: [git.commonDir] };
}

function verdictOf(result: CommandResult): CheckRun['result'] {
  if (result.kind === 'exited') return result.code === 0 ? 'green' : 'red';
  return result.kind === 'not_started' || result.kind === 'cancelled' ? 'error' : 'red';
}

function explain(result: CommandResult): string {
  switch (result.kind) {
    case 'not_started':
      return `The command could not be started: ${result.reason}\n`;
    case 'timed_out':
      return `The command was ended after ${Math.round(result.durationMs / 1000)} s without a result.\n`;
    case 'cancelled':
      return 'The command was cancelled.\n';
    case 'signalled':
      return `The command was ended by ${result.signal}.\n`;
    case 'exited':
      return '';
  }
}

function hash(text: string): string {
  return sha256(text);
}

/** Runs `workspace.setup` in a worktree; null where there is none. A command not yet approved is skipped and named. */
export async function runSetup(
  workflow: Workflow,
  directory: string,
  subject: string,
): Promise<{ ran: boolean; ok: boolean; output: string } | null> {
  const { setup } = workflow.repo.config.workspace;
  if (setup === null) return null;
  if (!isTrusted(workflow.machine, 'workspace.setup', setup)) {
    return { ran: false, ok: false, output: `not approved on this machine: ${setup}` };
  }
  workflow.notify(`setting up: ${setup}`);
  const request = { command: setup, timeoutMs: SETUP_TIMEOUT_MS, kind: 'setup', subject, network: true };
  const run = await runIn(workflow, directory, request);
  return { ran: true, ok: run.result === 'green', output: run.output };
}
