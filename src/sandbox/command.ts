/** What a command needs to run, and what can become of it. */

export type Isolation = 'bubblewrap' | 'plain';

/** `auto` takes bubblewrap where it works and a plain process elsewhere; `required` refuses to do without. */
export type IsolationWish = 'required' | 'auto' | 'off';

export type OutputSource = 'stdout' | 'stderr';

export interface CommandLimits {
  /** Processes of the user at one time; the kernel does not hold root to it. */
  processes?: number | undefined;
  /** The size of the largest file the command may write. */
  fileBytes?: number | undefined;
  /** Address space of each process. Off unless given: several runtimes reserve far more than they use. */
  memoryBytes?: number | undefined;
}

interface CommandSettings {
  cwd: string;
  /** The complete environment: nothing is inherited. See commandEnvironment. */
  env: Record<string, string>;
  /** Text for standard input; without it the command reads an empty one. */
  input?: string | undefined;
  timeoutMs: number;
  /** Ends a command that has written nothing for so long. */
  idleTimeoutMs?: number | undefined;
  /** Between SIGTERM and SIGKILL; 2 s unless given. */
  graceMs?: number | undefined;
  /** How much of the output is kept in memory: the first quarter from its start, the rest from its end. */
  maxOutputBytes: number;
  /** Receives the raw output, both sources in order of arrival; an older file is replaced. */
  outputFile?: string | undefined;
  maxOutputFileBytes?: number | undefined;
  onOutput?: ((text: string, source: OutputSource) => void) | undefined;
  signal?: AbortSignal | undefined;
  isolation: IsolationWish;
  /** Only bubblewrap can withhold it. */
  network: boolean;
  /** Absolute paths that bubblewrap leaves writable besides `cwd`. */
  writable: readonly string[];
  /** Absolute paths that bubblewrap shows empty, and of those below them the ones it shows, but lets nobody write. */
  hidden?: readonly string[] | undefined;
  readable?: readonly string[] | undefined;
  limits?: CommandLimits | undefined;
}

/** `command` is a line for /bin/sh; `argv` starts a program with exactly these arguments. */
export type CommandRequest = CommandSettings &
  ({ command: string; argv?: undefined } | { argv: readonly string[]; command?: undefined });

export type CommandOutcome =
  | { kind: 'exited'; code: number }
  | { kind: 'signalled'; signal: NodeJS.Signals }
  | { kind: 'timed_out'; which: 'total' | 'idle' }
  | { kind: 'not_started'; reason: string }
  | { kind: 'cancelled' };

export interface CommandRecord {
  /** Until the command ended or was told to; ending what it left behind is not counted. */
  durationMs: number;
  /** Start and end of the output, with a line in between that counts what was left out. */
  output: string;
  /** The end of standard output alone. */
  stdoutTail: string;
  outputBytes: number;
  omittedBytes: number;
  /** False where the output file stopped at its limit or could not be written on. */
  outputFileComplete: boolean;
  isolation: Isolation;
}

export type CommandResult = CommandOutcome & CommandRecord;
