/** What the queue has learnt of its repository; the batch size follows from it. */
export interface Rates {
  /** Share of tested streams that were thrown out. */
  failure: number;
  /** Share of runs that were red and then green on the same work. */
  flake: number;
  /** How long a run takes, in milliseconds. */
  runMs: number;
}

/** Before anything is known: few failures, few flakes, runs of five minutes. */
export const FIRST_RATES: Rates = { failure: 0.05, flake: 0.01, runMs: 300_000 };

/** How much one more observation counts: a jump of the rate is followed within about 40 streams. */
const STEP = 0.04;
const LONGEST_BATCH = 64;

export function learnt(rates: Rates, what: keyof Rates, value: number): Rates {
  return { ...rates, [what]: rates[what] + STEP * (value - rates[what]) };
}

/** The chance that one stream passes its run. */
export function passChance({ failure, flake }: Rates): number {
  return Math.max(0.01, 1 - failure - flake);
}

/** The batch with the fewest runs for each landed stream: about one red in two. */
export function bestBatch({ failure, flake }: Rates): number {
  return Math.min(LONGEST_BATCH, Math.max(1, Math.round(Math.LN2 / Math.max(failure + flake, 0.001))));
}

/** Streams are tested together only as far as there are more of them than free runners. */
export function batchSize(rates: Rates, { backlog, free }: { backlog: number; free: number }): number {
  return Math.max(1, Math.min(bestBatch(rates), Math.ceil(backlog / Math.max(1, free))));
}
