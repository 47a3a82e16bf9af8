/** Time arrives as an argument, so that tests can move it. Times are stored and shown as ISO 8601 in UTC. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;

  constructor(start = '2026-01-01T00:00:00.000Z') {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  /** Moves the clock forward by so many milliseconds. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
