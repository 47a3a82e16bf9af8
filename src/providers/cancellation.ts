export interface Cancellation {
  signal: AbortSignal;
  cancel(reason: string): void;
  /** Why it was cancelled; meaningful once the signal is aborted. */
  reason(): string;
}

/** One signal for both ways to end an agent: the caller's own signal, and `cancel` with a reason. The first one counts. */
export function createCancellation(outer: AbortSignal | undefined): Cancellation {
  const controller = new AbortController();
  const signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  return {
    signal,
    cancel: (reason) => controller.abort(reason),
    reason: () => {
      const given: unknown = signal.reason;
      if (typeof given === 'string') return given;
      return given instanceof Error ? given.message : 'cancelled';
    },
  };
}
