import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { bubblewrapArguments } from './bubblewrap.ts';
import type { Isolation } from './command.ts';
import { type HardLimits, limitArguments, readHardLimits } from './command-limits.ts';

export interface SandboxReport {
  /** The strongest isolation that works here. */
  isolation: Isolation;
  /** Why it is not bubblewrap. */
  reason: string | undefined;
  bubblewrap: string | undefined;
  prlimit: string | undefined;
  hardLimits: HardLimits;
}

// Not the user's PATH: a repository's own `bwrap` must not guard that repository.
const TOOL_FOLDERS = [
  '/usr/bin',
  '/bin',
  '/usr/local/bin',
  '/run/wrappers/bin',
  '/run/current-system/sw/bin',
];

// The one thing remembered here: the answer does not change while a process lives, and asking takes two processes.
let known: Promise<SandboxReport> | undefined;

/** What this machine offers, found by trying it; asked once per process. */
export function probeSandbox(): Promise<SandboxReport> {
  known ??= probeSandboxIn(TOOL_FOLDERS);
  return known;
}

export async function probeSandboxIn(folders: readonly string[]): Promise<SandboxReport> {
  const [found, prlimit, hardLimits] = await Promise.all([
    findTool('bwrap', folders),
    findTool('prlimit', folders),
    readHardLimits(),
  ]);
  const failure = found ? await tryBubblewrap(found) : 'bubblewrap (bwrap) is not installed';
  const limitsWork = prlimit !== undefined && !(await tryPrlimit(prlimit, hardLimits));
  return {
    isolation: failure ? 'plain' : 'bubblewrap',
    reason: failure,
    bubblewrap: failure ? undefined : found,
    prlimit: limitsWork ? prlimit : undefined,
    hardLimits,
  };
}

async function findTool(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

async function tryBubblewrap(path: string): Promise<string | undefined> {
  const args = await bubblewrapArguments({ cwd: '/', writable: [], network: false, env: {} });
  // A writable root is not what is tried here: leave out the bind of the working folder.
  const bind = args.indexOf('--bind');
  args.splice(bind, 3);
  const failure = await tryProgram(path, [...args, '--', '/bin/sh', '-c', ':']);
  return failure && `bubblewrap does not work here: ${failure}`;
}

function tryPrlimit(path: string, hard: HardLimits): Promise<string | undefined> {
  return tryProgram(path, [...limitArguments({}, hard), '/bin/sh', '-c', ':']);
}

/** Undefined where the program ended well, else what it said. */
function tryProgram(path: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, args, { env: {}, timeout: 10_000, cwd: '/' }, (error, _stdout, stderr) => {
      resolve(error ? stderr.trim() || error.message : undefined);
    });
  });
}
