import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Every process of a run carries its mark here; runs inside runs add theirs: `outer:inner`. */
export const RUN_VARIABLE = 'GITSWARM_RUN';

export interface ProcessGroup {
  /** The leader, whose id is the group's. */
  pid: number;
  mark: string;
  graceMs: number;
  /** False where the leader is bubblewrap: it dies of SIGTERM at once and takes its command along without grace. */
  leaderTakesTerm: boolean;
}

interface Member {
  pid: number;
  isMarked: boolean;
}

/**
 * Ends a process group and what has left it: SIGTERM, a time of grace, SIGKILL. A process that made a session of its
 * own is found by the mark in its environment, which takes /proc; one that cleared its environment too is found only
 * inside bubblewrap, where the kernel ends the whole process namespace.
 */
export async function endGroup(group: ProcessGroup): Promise<void> {
  const members = await listMembers(group);
  if (members.length === 0) return;
  if (group.leaderTakesTerm) send(-group.pid, 'SIGTERM');
  for (const member of members) if (member.isMarked) send(member.pid, 'SIGTERM');
  if (await isGoneWithin(group, group.graceMs)) return;
  // Whoever is forking may slip past one sweep, and its children past the next; each sweep leaves fewer.
  for (let sweep = 0; sweep < 50; sweep++) {
    send(-group.pid, 'SIGKILL');
    for (const member of await listMembers(group)) if (member.isMarked) send(member.pid, 'SIGKILL');
    if (await isGoneWithin(group, 20)) return;
  }
}

async function isGoneWithin(group: ProcessGroup, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  for (let wait = 5; ; wait = Math.min(wait * 2, 100)) {
    if ((await listMembers(group)).length === 0) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(wait, left));
  }
}

/** Living processes of the group or with its mark. Zombies do not count: in some containers nobody reaps them. */
async function listMembers(group: ProcessGroup): Promise<Member[]> {
  const names = await readdir('/proc').catch(() => undefined);
  if (!names?.includes('self')) return send(-group.pid, 0) ? [{ pid: group.pid, isMarked: false }] : [];
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => inspect(pid, group)));
  return found.filter((member) => member !== undefined);
}

async function inspect(pid: number, group: ProcessGroup): Promise<Member | undefined> {
  if (pid === process.pid) return undefined;
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The program's name in brackets may hold anything, brackets included.
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const isMarked = hasMark(await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''), group.mark);
    return isMarked || Number(processGroup) === group.pid ? { pid, isMarked } : undefined;
  } catch {
    return undefined;
  }
}

function hasMark(environment: string, mark: string): boolean {
  const entry = environment.split('\0').find((line) => line.startsWith(`${RUN_VARIABLE}=`));
  return (
    entry
      ?.slice(RUN_VARIABLE.length + 1)
      .split(':')
      .includes(mark) ?? false
  );
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
