/** Runs `attempt` until it returns something other than 'again', at most `tries` times, with growing random pauses. */
export async function retry<T>(
  tries: number,
  attempt: (n: number) => Promise<T | 'again'>,
  pause: (n: number) => Promise<void> = backOff,
): Promise<T | undefined> {
  for (let n = 1; n <= tries; n++) {
    const result = await attempt(n);
    if (result !== 'again') return result;
    if (n < tries) await pause(n);
  }
  return undefined;
}

/** Waits 5 ms at first, twice as long each time up to 500 ms, with half of it random so that rivals drift apart. */
export async function backOff(n: number): Promise<void> {
  const longest = Math.min(500, 5 * 2 ** n);
  await new Promise((done) => setTimeout(done, longest / 2 + Math.random() * (longest / 2)));
}
