import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** How a program that shared our terminal ended: its exit code, 128 and its signal, 127 where there is no such program. */
export type AttachedEnding = { kind: 'exited'; code: number } | { kind: 'not_started'; reason: string };

const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program on our own stdin, stdout and stderr, without limits or isolation: it is the caller's own command, not
 * one that comes from a repository. Signals we are sent are passed on, and it is waited for.
 */
export function runAttached(
  argv: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string | undefined>>; stdoutTo?: 'stdout' | 'stderr' },
): Promise<AttachedEnding> {
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['inherit', options.stdoutTo === 'stderr' ? 2 : 'inherit', 'inherit'],
    });
    // On a terminal the whole group is told of Ctrl-C; we only must not end before our child.
    const handlers = FORWARDED.map((signal) => ({
      signal,
      handle: () => {
        if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
      },
    }));
    for (const { signal, handle } of handlers) process.on(signal, handle);
    const end = (ending: AttachedEnding) => {
      for (const { signal, handle } of handlers) process.off(signal, handle);
      resolve(ending);
    };
    child.once('error', (error) => end({ kind: 'not_started', reason: error.message }));
    child.once('exit', (code, signal) =>
      end({ kind: 'exited', code: code ?? 128 + (signal ? constants.signals[signal] : 0) }),
    );
  });
}
