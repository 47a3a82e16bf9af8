import { constants } from 'node:os';
import type { CommandOutcome, Isolation } from './command.ts';
import type { StopReason } from './watch-limits.ts';

/** How the started process ended, before it is known what that means. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

// Signals that end programs. A shell reports them as 128 + n; 129 (hang-up) is left out, since git exits so on usage.
const DEADLY: readonly NodeJS.Signals[] = [
  ...(['SIGINT', 'SIGQUIT', 'SIGILL', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGSEGV'] as const),
  ...(['SIGPIPE', 'SIGTERM', 'SIGXCPU', 'SIGXFSZ'] as const),
];

export function stoppedOutcome(reason: StopReason): CommandOutcome {
  return reason === 'cancelled' ? { kind: 'cancelled' } : { kind: 'timed_out', which: reason };
}

/** `status` is what bubblewrap reported, `output` what was written. */
export function endedOutcome(
  ending: Ending,
  seen: { isolation: Isolation; status: string; output: string },
): CommandOutcome {
  if (ending.signal) return { kind: 'signalled', signal: ending.signal };
  const code = ending.code ?? 0;
  const isCommandReached = seen.isolation === 'plain' || seen.status.includes('"exit-code"');
  if (code === 126 || code === 127 || (code !== 0 && !isCommandReached)) {
    return { kind: 'not_started', reason: lastLine(seen.output) || `the command exited with ${code}` };
  }
  const signal = DEADLY.find((name) => code === 128 + constants.signals[name]);
  return signal ? { kind: 'signalled', signal } : { kind: 'exited', code };
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.slice(0, 500) ?? '';
}
