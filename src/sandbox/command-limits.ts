import { readFile } from 'node:fs/promises';
import type { CommandLimits } from './command.ts';

/** What this process itself may have at most; asking for more fails. */
export interface HardLimits {
  processes: number;
  fileBytes: number;
  memoryBytes: number;
}

// Far above what builds need and far below what brings a machine down. Threads of the whole login count as processes.
const DEFAULTS = { processes: 8192, fileBytes: 8 * 1024 ** 3 };

/** The arguments of `prlimit` before the command. */
export function limitArguments(limits: CommandLimits, hard: HardLimits): string[] {
  const processes = Math.min(limits.processes ?? DEFAULTS.processes, hard.processes);
  const fileBytes = Math.min(limits.fileBytes ?? DEFAULTS.fileBytes, hard.fileBytes);
  const args = ['--core=0', `--nproc=${processes}`, `--fsize=${fileBytes}`];
  if (limits.memoryBytes !== undefined) args.push(`--as=${Math.min(limits.memoryBytes, hard.memoryBytes)}`);
  return args;
}

export async function readHardLimits(): Promise<HardLimits> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return {
    processes: hardLimit(text, 'Max processes'),
    fileBytes: hardLimit(text, 'Max file size'),
    memoryBytes: hardLimit(text, 'Max address space'),
  };
}

function hardLimit(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(name));
  const [, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
