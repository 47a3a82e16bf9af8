import type { LimitFunction } from 'p-limit';
import type { Agent } from '../../contract/agents.ts';
import { getRepo } from '../../contract/repos.ts';
import type { AgentAdapter } from '../../providers/agent-adapter.ts';
import { refreshConfig } from '../config-in-force.ts';
import type { PromoteResult } from '../promote.ts';
import type { StabilizeResult } from '../stabilize.ts';
import { actingAs, type Workflow } from '../workflow.ts';

/** What a swarm is asked to do. */
export interface SwarmRequest {
  agents: number;
  author: AgentAdapter;
  reviewers: number;
  reviewer?: AgentAdapter | undefined;
  /** Makes the reviewers maintainers for the length of the run. */
  trustReviewers: boolean;
  /** References of the tasks to work on; default: every open task that can become ready. */
  tasks?: string[] | undefined;
  timeoutMs: number;
  idleTimeoutMs: number;
  /** Stops the run after so long; what was begun is taken up by the next one. */
  maxMs?: number | undefined;
  /** What an agent's process sees of our environment; the swarm adds its own variables. */
  environment: Readonly<Record<string, string>>;
}

export type TaskEnd =
  | 'done'
  /** Waits for the verdict of somebody who is not part of this swarm. */
  | 'in_review'
  /** Waits in a queue that is paused or frozen. */
  | 'queued'
  | 'given_back'
  /** Begun, and to be taken up by the next run. */
  | 'interrupted'
  | 'not_started';

export interface TaskOutcome {
  taskId: string;
  handle: string;
  title: string;
  agent: string | null;
  streamId: string | null;
  stream: string | null;
  state: TaskEnd;
  attempts: number;
  commits: number;
  merged: boolean;
  reason: string | null;
}

/** What happens, as it happens; for whoever watches. */
export type SwarmNews =
  | { kind: 'stage'; agent: string; task: string | null; title: string; stage: Stage; detail: string }
  | { kind: 'said'; agent: string; text: string }
  | { kind: 'note'; text: string };

export type Stage =
  | 'idle'
  | 'claim'
  | 'work'
  | 'commit'
  | 'review'
  | 'merge'
  | 'landed'
  | 'in_review'
  | 'given_back'
  | 'stopped';

export interface SwarmReport {
  tasks: TaskOutcome[];
  stabilizations: StabilizeResult[];
  promotion: PromoteResult | { promoted: false; reason: string } | null;
  stopped: 'finished' | 'time' | 'interrupted';
  trusted: string[];
}

/** A swarm at work: what its lanes share. */
export interface SwarmRun {
  request: SwarmRequest;
  /** As the one who runs the swarm; its settings are those in force now. */
  base: Workflow;
  workers: Agent[];
  reviewers: Agent[];
  /** Ids of the tasks to be worked on, and of those whose repair is being worked on instead. */
  chosen: Set<string>;
  onHold: Set<string>;
  outcomes: Map<string, TaskOutcome>;
  stabilizations: StabilizeResult[];
  landings: number;
  untested: number;
  /** One landing at a time: each lane then learns what became of its own. */
  landing: LimitFunction;
  /** One job at a time for each reviewer. */
  desks: Map<string, LimitFunction>;
  /** Ends agents and waiting alike. */
  signal: AbortSignal;
  /** A fault that no retry mends, met by some lane: the others finish what they do and start nothing new. */
  fault: Error | undefined;
  tell(news: SwarmNews): void;
}

/** The workflow of one agent of the swarm, with the settings in force now. */
export function asAgent(run: SwarmRun, agent: Agent): Workflow {
  return actingAs(run.base, agent);
}

/** Lets nothing new begin: what every task would meet has been met. */
export function meetFault(run: SwarmRun, error: unknown): void {
  if (run.fault) return;
  run.fault = error instanceof Error ? error : new Error(String(error));
  run.tell({ kind: 'note', text: `the swarm stops when its agents have ended: ${run.fault.message}` });
}

export function mustStop(run: SwarmRun): boolean {
  return run.signal.aborted || run.fault !== undefined;
}

/** Settings may change while a swarm runs: each task begins with those in force. */
export async function refreshRun(run: SwarmRun): Promise<void> {
  const repo = await run.base.authority.call(getRepo, { repoId: run.base.repo.id });
  const refreshed = await refreshConfig({ ...run.base, repo }, { readOnly: false });
  run.base = { ...run.base, repo: refreshed.repo };
}
