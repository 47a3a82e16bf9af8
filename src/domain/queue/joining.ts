import { InFlight } from './in-flight.ts';
import type { Place } from './line.ts';
import type { Entry } from './queue-state.ts';

/** A batch while it is put together. All its members have the same streams below, so that they share one fate only. */
export class Joining {
  readonly members: { entry: Entry; below: string[] }[] = [];
  readonly #inFlight: InFlight;
  readonly #below: ReadonlySet<string>;
  readonly #mates: InFlight;

  constructor(inFlight: InFlight, below: readonly string[]) {
    this.#inFlight = inFlight;
    this.#below = new Set(below);
    this.#mates = new InFlight();
  }

  get items(): Entry[] {
    return this.members.map(({ entry }) => entry);
  }

  hasStream(stream: string): boolean {
    return this.#mates.hasStream(stream);
  }

  fits({ entry }: Place): boolean {
    const below = new Set(this.#inFlight.below(entry));
    for (const mate of this.#mates.below(entry)) {
      if (this.members.some((each) => each.entry.wish.id === mate))
        for (const id of this.#below) below.add(id);
    }
    return below.size === this.#below.size && [...below].every((id) => this.#below.has(id));
  }

  add({ entry }: Place): void {
    const mates = this.#mates.below(entry);
    this.#mates.add(entry, mates);
    this.members.push({ entry, below: [...this.#below, ...mates] });
  }
}
