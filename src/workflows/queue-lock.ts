import { withLock } from '../machine/locks.ts';
import type { Workflow } from './workflow.ts';

/** A landing whose tests take long keeps the queue for long; whoever waits is told for whom. */
export const LONGEST_WAIT_MS = 2 * 3_600_000;

/** Runs while nobody else moves the buffer of this repository. */
export function withQueue<T>(workflow: Workflow, run: () => Promise<T>): Promise<T> {
  const work = () => (workflow.onBuffer ? workflow.onBuffer(run) : run());
  return withLock(workflow.home, 'queue', work, {
    waitMs: LONGEST_WAIT_MS,
    onWait: (holder) => workflow.notify(`waiting for the queue, driven by ${holder}`),
  });
}
