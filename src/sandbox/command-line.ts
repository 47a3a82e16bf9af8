import { bubblewrapArguments } from './bubblewrap.ts';
import type { CommandRequest, Isolation } from './command.ts';
import { limitArguments } from './command-limits.ts';
import type { SandboxReport } from './probe-sandbox.ts';
import { RUN_VARIABLE } from './process-group.ts';

export const STATUS_DESCRIPTOR = 3;

export interface CommandLine {
  file: string;
  args: string[];
  env: Record<string, string>;
}

/** What is really started: the command, within its limits, within its enclosure. */
export async function commandLine(
  request: CommandRequest,
  sandbox: SandboxReport,
  run: { isolation: Isolation; mark: string },
): Promise<CommandLine> {
  const outer = request.env[RUN_VARIABLE];
  const mark = { [RUN_VARIABLE]: outer ? `${outer}:${run.mark}` : run.mark };
  const limited = withLimits(shellArguments(request), request, sandbox);
  if (run.isolation === 'plain' || sandbox.bubblewrap === undefined) {
    return { ...split(limited), env: { ...request.env, ...mark } };
  }
  const enclosure = await bubblewrapArguments({
    cwd: request.cwd,
    writable: request.writable,
    hidden: request.hidden,
    readable: request.readable,
    network: request.network,
    env: mark,
    path: request.env.PATH,
    statusDescriptor: STATUS_DESCRIPTOR,
  });
  return { ...split([sandbox.bubblewrap, ...enclosure, '--', ...limited]), env: request.env };
}

/** A program is started by a constant line of shell, so that "not found" is reported in one way everywhere. */
function shellArguments(request: CommandRequest): string[] {
  if (request.command !== undefined) return ['/bin/sh', '-c', request.command];
  return ['/bin/sh', '-c', 'exec "$@"', 'sh', ...request.argv];
}

function withLimits(argv: string[], request: CommandRequest, sandbox: SandboxReport): string[] {
  if (sandbox.prlimit === undefined) return argv;
  return [sandbox.prlimit, ...limitArguments(request.limits ?? {}, sandbox.hardLimits), ...argv];
}

function split(argv: string[]): { file: string; args: string[] } {
  const [file = '/bin/sh', ...args] = argv;
  return { file, args };
}
