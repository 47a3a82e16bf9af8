/** Starts an agent in a workspace. What it does there, and with which model, is its own affair. */
export interface AgentAdapter {
  name: string;
  start(job: AgentJob): RunningAgent;
}

export type AgentRole = 'author' | 'reviewer';

export interface AgentEvent {
  type: 'output' | 'status';
  /** As the agent wrote it: strip control characters before it is shown. */
  text: string;
  /** ISO 8601 in UTC. */
  at: string;
}

export interface AgentJob {
  prompt: string;
  /** The workspace. */
  cwd: string;
  /** The agent's complete environment. */
  env: Record<string, string>;
  timeoutMs: number;
  idleTimeoutMs?: number | undefined;
  role: AgentRole;
  /** Receives everything the agent writes. */
  outputFile: string;
  onEvent?: ((event: AgentEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface RunningAgent {
  /** Resolves when the agent and everything it started has ended. Rejects only for a fault of `onEvent`. */
  done: Promise<AgentResult>;
  cancel(reason: string): void;
}

export type AgentOutcome =
  | { kind: 'finished'; exitCode: number }
  | { kind: 'timed_out'; which: 'total' | 'idle' }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'failed_to_start'; reason: string };

export type AgentResult = AgentOutcome & {
  durationMs: number;
  /** The end of all output, for people. */
  outputTail: string;
  /** The end of standard output, where a reviewer's verdict is looked for. */
  stdoutTail: string;
};

export const OUTPUT_TAIL_BYTES = 64 * 1024;
