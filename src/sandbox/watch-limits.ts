export type StopReason = 'total' | 'idle' | 'cancelled';

export interface LimitWatch extends Disposable {
  /** Resolves with the first limit that is reached. */
  reached: Promise<StopReason>;
  /** Tells that the command has written something. */
  touch(): void;
  stop(reason: StopReason): void;
}

// A longer timer would overflow and fire at once.
const LONGEST_TIMER = 2 ** 31 - 1;

export function watchLimits(limits: {
  timeoutMs: number;
  idleTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}): LimitWatch {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  const idleMs = Math.min(limits.idleTimeoutMs ?? Number.POSITIVE_INFINITY, LONGEST_TIMER);
  let touchedAt = performance.now();

  const checkIdle = () => {
    const left = touchedAt + idleMs - performance.now();
    if (left <= 0) resolve('idle');
    else idle = setTimeout(lookAgain, left);
  };
  // After a long pause of this process the timer comes before the output that is waiting to be read.
  const lookAgain = () => setImmediate(checkIdle);
  const cancel = () => resolve('cancelled');

  const total = setTimeout(() => resolve('total'), Math.min(limits.timeoutMs, LONGEST_TIMER));
  let idle = limits.idleTimeoutMs === undefined ? undefined : setTimeout(lookAgain, idleMs);
  limits.signal?.addEventListener('abort', cancel, { once: true });
  if (limits.signal?.aborted) cancel();

  return {
    reached: promise,
    touch: () => {
      touchedAt = performance.now();
    },
    stop: resolve,
    [Symbol.dispose]: () => {
      clearTimeout(total);
      clearTimeout(idle);
      resolve('cancelled');
      limits.signal?.removeEventListener('abort', cancel);
    },
  };
}
