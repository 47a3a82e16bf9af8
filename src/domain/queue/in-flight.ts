import type { Entry, QueueState } from './queue-state.ts';

/** Who is being tested, by lane, so that what a newcomer has to be stacked on is found without looking at everyone. */
export class InFlight {
  readonly #byKey = new Map<string, Set<string>>();
  readonly #roots = new Set<string>();
  readonly #below = new Map<string, readonly string[]>();
  readonly #byStream = new Map<string, string>();
  /** In the order in which they were begun. */
  readonly #order = new Map<string, number>();

  constructor(state?: QueueState) {
    for (const batch of state?.batches.values() ?? []) {
      for (const id of batch.items) {
        const entry = state?.entries.get(id);
        if (entry) this.add(entry, entry.below);
      }
    }
  }

  add({ wish }: Entry, below: readonly string[]): void {
    this.#order.set(wish.id, this.#order.size);
    this.#below.set(wish.id, below);
    this.#byStream.set(wish.stream, wish.id);
    if (wish.footprint.root) this.#roots.add(wish.id);
    for (const key of wish.footprint.keys) {
      const ids = this.#byKey.get(key);
      if (ids) ids.add(wish.id);
      else this.#byKey.set(key, new Set([wish.id]));
    }
  }

  hasStream(stream: string): boolean {
    return this.#byStream.has(stream);
  }

  /** Everything under way that it overlaps or depends on, and what is below that, in the order it has to be merged in. */
  below({ wish }: Entry): string[] {
    const found = new Set<string>();
    const take = (id: string) => {
      if (found.has(id)) return;
      for (const each of this.#below.get(id) ?? []) found.add(each);
      found.add(id);
    };
    if (wish.footprint.root) for (const id of this.#order.keys()) take(id);
    for (const id of this.#roots) take(id);
    for (const key of wish.footprint.keys) for (const id of this.#byKey.get(key) ?? []) take(id);
    for (const stream of wish.after) {
      const id = this.#byStream.get(stream);
      if (id !== undefined) take(id);
    }
    return [...found].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0));
  }
}
