import { readdirSync, readlinkSync } from 'node:fs';

/**
 * Ends processes that work in a directory of ours although the one that started them is dead: commands without a
 * sandbox outlive a killed parent, and would disturb the next run there. Does nothing where there is no /proc.
 */
export function endStraysIn(directory: string): number {
  let ended = 0;
  for (const name of listProcesses()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || !worksIn(name, directory)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended++;
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
  return ended;
}

function listProcesses(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function worksIn(name: string, directory: string): boolean {
  try {
    const place = readlinkSync(`/proc/${name}/cwd`);
    return place === directory || place.startsWith(`${directory}/`);
  } catch {
    return false;
  }
}
