import { isSwarmError } from '../contract/errors.ts';
import { withLock } from '../machine/locks.ts';
import { recover } from '../workflows/recover.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { FellowServers } from './fellow-servers.ts';

const LONGEST_WAIT_MS = 5000;

/** Sees to it that each clone is mended before it is worked on: at first, and whenever something was cut off since. */
export class MendClones {
  /** Which were mended, and how many fellows had died by then. */
  readonly #mended = new Map<string, { deaths: number; done: Promise<void> }>();
  /** Where a landing was taken back that somebody still waits for. */
  readonly #interrupted = new Set<string>();
  readonly #fellows: FellowServers | undefined;
  readonly #asServer: (repoId: string) => Promise<Workflow>;

  constructor(fellows: FellowServers | undefined, asServer: (repoId: string) => Promise<Workflow>) {
    this.#fellows = fellows;
    this.#asServer = asServer;
  }

  /** Mends what a server that died has left, and what was cut off here. */
  once(repoId: string): Promise<void> {
    const deaths = this.#fellows?.deaths() ?? 0;
    const known = this.#mended.get(repoId);
    if (known?.deaths === deaths) return known.done;
    const done = this.#mend(repoId);
    this.#mended.set(repoId, { deaths, done });
    done.catch(() => this.#mended.delete(repoId));
    return done;
  }

  /** Work on the buffer ended in an error: something may have been left in the middle. */
  again(repoId: string): void {
    this.#mended.delete(repoId);
  }

  /** True once after landings were taken back: they wait in the queue for somebody to go on with them. */
  hasInterrupted(repoId: string): boolean {
    return this.#interrupted.delete(repoId);
  }

  async #mend(repoId: string): Promise<void> {
    const workflow = await this.#asServer(repoId);
    try {
      const repairs = await withLock(workflow.home, 'queue', () => recover(workflow, { holdsQueue: true }), {
        waitMs: LONGEST_WAIT_MS,
      });
      if (repairs.some(({ what }) => what === 'merge')) this.#interrupted.add(repoId);
    } catch (error) {
      if (!isSwarmError(error, 'busy')) throw error;
      // Somebody works on the buffer, and who comes next mends.
      this.#mended.delete(repoId);
    }
  }
}
