import { listEvents, type SwarmEvent } from '../../contract/events.ts';
import type { Workflow } from '../workflow.ts';

/** Events after which the queue is not what the driver believes, unless it was the driver's own doing. */
const TELLING = /^(queue\.|merge\.(requested|withdrawn|refused|conflicted|landed)$)/;

/** Follows the log of events, so that the queue is asked for again only when something has come to it. */
export class QueueWatch {
  readonly #workflow: Workflow;
  readonly #own = new Set<string>();
  #after: string | undefined;

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
  }

  /** What happens to this landing is known already. */
  expect(mergeId: string): void {
    this.#own.add(mergeId);
  }

  /** Whether there is news since the last time; the first time there always is. */
  async hasNews(): Promise<boolean> {
    const { authority, repo } = this.#workflow;
    if (this.#after === undefined) {
      const { items } = await authority.call(listEvents, { repoId: repo.id, limit: 1 });
      this.#after = String(items[0]?.seq ?? 0);
      return true;
    }
    let found = false;
    for (;;) {
      const after: string = this.#after;
      const page = await authority.call(listEvents, { repoId: repo.id, after, limit: 200 });
      found ||= page.items.some((event) => this.#isNews(event));
      if (page.nextCursor === null) return found;
      this.#after = page.nextCursor;
    }
  }

  #isNews({ type, subject }: SwarmEvent): boolean {
    return TELLING.test(type) && !this.#own.has(subject.id);
  }
}
