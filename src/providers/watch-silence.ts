export interface SilenceWatch extends Disposable {
  /** Aborted when a limit is reached. */
  signal: AbortSignal;
  reached(): 'total' | 'idle' | undefined;
  /** Tells that the agent has said something. */
  touch(): void;
}

// A longer timer would overflow and fire at once.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The two time limits of an agent that lives in this process. */
export function watchSilence(limits: {
  timeoutMs: number;
  idleTimeoutMs?: number | undefined;
}): SilenceWatch {
  const controller = new AbortController();
  let which: 'total' | 'idle' | undefined;
  const reach = (limit: 'total' | 'idle') => () => {
    which ??= limit;
    controller.abort();
  };
  const total = setTimeout(reach('total'), Math.min(limits.timeoutMs, LONGEST_TIMER));
  const { idleTimeoutMs } = limits;
  const idle =
    idleTimeoutMs === undefined
      ? undefined
      : setTimeout(reach('idle'), Math.min(idleTimeoutMs, LONGEST_TIMER));
  return {
    signal: controller.signal,
    reached: () => which,
    touch: () => idle?.refresh(),
    [Symbol.dispose]: () => {
      clearTimeout(total);
      clearTimeout(idle);
    },
  };
}
