import { isoTime } from '../../base/clock.ts';
import { randomHex } from '../../base/ids.ts';
import type { Agent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import type { Stream } from '../../contract/streams.ts';
import { claimTask, type Task } from '../../contract/tasks.ts';
import { finishRunOutput, startRunOutput } from '../../machine/run-outputs.ts';
import { endSession, endSessionsOf, insertSession } from '../../machine/sessions.ts';
import { enterWorkspace, findWorkspace, leaveWorkspace } from '../../machine/workspaces.ts';
import type { AgentAdapter, AgentResult, AgentRole } from '../../providers/agent-adapter.ts';
import { asAgent, meetFault, type SwarmRun } from './swarm-run.ts';

export interface Play {
  adapter: AgentAdapter;
  agent: Agent;
  role: AgentRole;
  stream: Stream;
  task: Task | null;
  attempt: number;
  /** Where the agent works. */
  directory: string;
  prompt: string;
  variables?: Readonly<Record<string, string>>;
}

const RENEWED_EVERY_MS = 5 * 60_000;

/**
 * Lets an agent work once, as itself: with a session of its own, its output kept, its worktree left alone by others
 * and its claim kept alive. Answers how the process ended; what it did is in the worktree.
 */
export async function playAgent(run: SwarmRun, play: Play): Promise<AgentResult> {
  const { machine, clock } = run.base;
  const at = () => isoTime(clock.now());
  const token = randomHex(32);
  const output = startRunOutput(machine, { kind: play.role, subject: play.agent.id, at: at() });
  // An agent of a run that was killed may still be alive; it acts for nobody any more.
  if (play.role === 'author') endSessionsOf(machine, play.stream.id, at());
  insertSession(machine, { token, agentId: play.agent.id, streamId: play.stream.id, at: at() });
  const use = enter(run, play, at());
  const renewing = play.role === 'author' && play.task ? renewLease(run, play.agent, play.task) : undefined;
  let exit: number | null = null;
  try {
    const result = await play.adapter.start({
      prompt: play.prompt,
      cwd: play.directory,
      env: { ...run.request.environment, ...variablesOf(run, play, token) },
      timeoutMs: run.request.timeoutMs,
      idleTimeoutMs: run.request.idleTimeoutMs,
      role: play.role,
      outputFile: output.path,
      onEvent: (event) => {
        if (event.type === 'output') run.tell({ kind: 'said', agent: play.agent.name, text: event.text });
      },
      signal: run.signal,
    }).done;
    exit = result.kind === 'finished' ? result.exitCode : null;
    return result;
  } finally {
    clearInterval(renewing);
    if (use !== undefined) leaveWorkspace(machine, use);
    endSession(machine, token, at());
    finishRunOutput(machine, output.id, { exit, truncated: false, at: at() });
  }
}

function variablesOf(run: SwarmRun, play: Play, token: string): Record<string, string> {
  return {
    GITSWARM_SESSION: token,
    GITSWARM_AGENT: play.agent.name,
    GITSWARM_STREAM: play.stream.handle,
    GITSWARM_TASK: play.task?.handle ?? '',
    GITSWARM_TASK_TITLE: play.task?.title ?? play.stream.name,
    GITSWARM_ATTEMPT: String(play.attempt),
    GITSWARM_WORKSPACE: play.directory,
    GITSWARM_ROOT: run.base.git.root,
    ...play.variables,
  };
}

/** Only the author's own worktree is entered: reviewers look at a checkout that is theirs alone. */
function enter(run: SwarmRun, play: Play, at: string): string | undefined {
  const { machine } = run.base;
  if (play.role !== 'author' || !findWorkspace(machine, play.stream.id)) return undefined;
  return enterWorkspace(machine, {
    streamId: play.stream.id,
    reason: `${play.agent.name} at work in a swarm`,
    at,
  });
}

/** Claiming what one holds begins the lease anew. A claim that was lost meanwhile is found out when work is handed in. */
function renewLease(run: SwarmRun, agent: Agent, task: Task): NodeJS.Timeout {
  const renew = async () => {
    try {
      await asAgent(run, agent).authority.call(claimTask, { task: task.id });
    } catch (error) {
      if (!isSwarmError(error)) meetFault(run, error);
    }
  };
  const timer = setInterval(() => void renew(), RENEWED_EVERY_MS);
  timer.unref();
  return timer;
}

/** How a process ended, for its next prompt and for the report; undefined where it ended well. */
export function troubleOf(result: AgentResult): string | undefined {
  switch (result.kind) {
    case 'finished':
      return result.exitCode === 0 ? undefined : `it ended with exit code ${result.exitCode}`;
    case 'timed_out':
      return result.which === 'idle'
        ? 'it wrote nothing for too long and was ended'
        : 'it took too long and was ended';
    case 'failed_to_start':
      return `it could not be started: ${result.reason}`;
    case 'cancelled':
      return 'it was interrupted';
  }
}
