import type { TaskStatus } from '../../contract/tasks.ts';
import type { PlanStatus } from '../../contract/workplans.ts';

const RANK: Record<PlanStatus, number> = { todo: 0, in_progress: 1, blocked: 1, done: 2, cancelled: 2 };

/** How far a status is along: todo < in_progress = blocked < done = cancelled. */
export function planRank(status: PlanStatus): number {
  return RANK[status];
}

/** The further of two; of equals the first. */
export function further(a: PlanStatus, b: PlanStatus): PlanStatus {
  return RANK[b] > RANK[a] ? b : a;
}

/** A task's status in the words of workplans. A lease that is over is to be seen as released by the caller. */
export function planStatusOf(task: { status: TaskStatus; isBlocked: boolean }): PlanStatus {
  if (task.status === 'completed') return 'done';
  if (task.status === 'cancelled') return 'cancelled';
  if (task.status === 'submitted') return 'in_progress';
  if (task.isBlocked) return 'blocked';
  return task.status === 'claimed' ? 'in_progress' : 'todo';
}

/** What holds where file and database differ, and why. */
export type Comparison =
  | { kind: 'same' }
  /** The file brings news: the database follows (C-11). */
  | { kind: 'file_ahead' }
  /** The database wins: it is further, or as far and different (C-13). */
  | { kind: 'database_ahead' }
  /** The database was at that status once and was set back since, so the file tells no news (C-17). */
  | { kind: 'set_back' };

/**
 * Compares what a file says with what the database says. Nothing the files say moves a task backwards, and nothing that
 * the database has heard already moves it forward a second time: a landing that was reverted stays reverted.
 */
export function compareStatus(given: {
  file: PlanStatus;
  database: PlanStatus;
  reached: PlanStatus;
}): Comparison {
  const { file, database, reached } = given;
  if (file === database) return { kind: 'same' };
  if (planRank(file) <= planRank(database)) return { kind: 'database_ahead' };
  return planRank(file) > planRank(reached) ? { kind: 'file_ahead' } : { kind: 'set_back' };
}

export type PlanStep = 'claim' | 'block' | 'unblock' | 'complete' | 'cancel' | 'abandon' | 'reopen';

/** The operations that lead a task from one status to another, in their order; backwards only by force. */
export function stepsBetween(from: PlanStatus, to: PlanStatus): PlanStep[] {
  if (from === to) return [];
  const wasOver = isOver(from);
  const steps: PlanStep[] = wasOver ? ['reopen'] : [];
  if (to === 'done') return [...steps, 'complete'];
  if (to === 'cancelled') return [...steps, 'cancel'];
  if (to === 'blocked') return [...steps, 'block'];
  if (from === 'blocked') steps.push('unblock');
  if (to === 'in_progress') return [...steps, 'claim'];
  // A blocked task may be held by somebody, too: giving up what nobody holds is left out by the caller.
  return wasOver ? steps : [...steps, 'abandon'];
}

/** Done or cancelled. */
export function isOver(status: PlanStatus): boolean {
  return RANK[status] === RANK.done;
}
