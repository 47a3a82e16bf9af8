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
  /** Where somebody may still wait for a landing, or the remote for what has landed. */
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

  /** True once after something was cut off: what waits in the queue waits for somebody to go on with it. */
  hasInterrupted(repoId: string): boolean {
    return this.#interrupted.delete(repoId);
  }

  async #mend(repoId: string): Promise<void> {
    const workflow = await this.#asServer(repoId);
    try {
      await withLock(workflow.home, 'queue', () => recover(workflow, { holdsQueue: true }), {
        waitMs: LONGEST_WAIT_MS,
      });
      // Whoever died before it began to land, or just after, has left nothing to mend and work all the same.
      this.#interrupted.add(repoId);
    } catch (error) {
      if (!isSwarmError(error, 'busy')) throw error;
      // Somebody works on the buffer, and who comes next mends.
      this.#mended.delete(repoId);
    }
  }
}
