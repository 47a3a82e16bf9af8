import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * A process as it signs what it holds: pid, start time, boot id, pid namespace and host, separated by spaces. The start
 * time tells it from a later process with the same pid; `-` stands for what this system does not say.
 */
export function holderOf(pid: number = process.pid): string {
  return [pid, startTime(pid) ?? '-', bootId(), pidNamespace(), hostname() || '-'].join(' ');
}

/**
 * False only where the holder is certainly gone. A process of another container (same boot, other pid namespace) cannot
 * be seen from here and counts as alive. Outside Linux a reused pid counts as alive too.
 */
export function isHolderAlive(holder: string): boolean {
  const { pid, start, boot, namespace } = parseHolder(holder);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (boot !== bootId()) return false;
  if (namespace !== pidNamespace()) return true;
  if (start !== '-') return startTime(pid) === start;
  return canBeSignalled(pid);
}

/** True where a process runs, or ran, since this machine was started. */
export function isSameMachine(holder: string): boolean {
  return parseHolder(holder).boot === bootId();
}

/** True where it can be told from here whether the holder lives: on this machine, and not inside another container. */
export function isInSight(holder: string): boolean {
  const { boot, namespace } = parseHolder(holder);
  return boot === bootId() && namespace === pidNamespace();
}

/** `process 4711 on box`, for messages. */
export function describeHolder(holder: string): string {
  const { pid, host } = parseHolder(holder);
  return `process ${pid} on ${host}`;
}

function parseHolder(holder: string) {
  const [pid = '', start = '-', boot = '-', namespace = '-', host = '-'] = holder.split(' ');
  return { pid: Number(pid), start, boot, namespace, host };
}

/** Clock ticks between boot and the start of the process (proc(5), field 22), or undefined for one that is gone or a zombie. */
function startTime(pid: number): string | undefined {
  const stat = readOrUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The command in brackets may itself hold spaces and brackets; field 3 comes after the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return fields[19];
}

function bootId(): string {
  return readOrUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? '-';
}

function pidNamespace(): string {
  return readOrUndefined(() => readlinkSync('/proc/self/ns/pid')) ?? '-';
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readOrUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
