/**
 * What adapters need in order to start a program: the application hands it over, with its choice of isolation made.
 * The runner keeps the limits, ends everything the program started, and never lets it inherit our environment.
 */
export type RunProcess = (request: ProcessRequest) => Promise<ProcessResult>;

interface ProcessSettings {
  cwd: string;
  env: Record<string, string>;
  input?: string | undefined;
  timeoutMs: number;
  idleTimeoutMs?: number | undefined;
  maxOutputBytes: number;
  outputFile?: string | undefined;
  onOutput?: ((text: string, source: 'stdout' | 'stderr') => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** `command` is a line for the shell, `argv` a program with its arguments. */
export type ProcessRequest = ProcessSettings &
  ({ command: string; argv?: undefined } | { argv: readonly string[]; command?: undefined });

export type ProcessResult = (
  | { kind: 'exited'; code: number }
  | { kind: 'signalled'; signal: NodeJS.Signals }
  | { kind: 'timed_out'; which: 'total' | 'idle' }
  | { kind: 'not_started'; reason: string }
  | { kind: 'cancelled' }
) & { durationMs: number; output: string; stdoutTail: string };
