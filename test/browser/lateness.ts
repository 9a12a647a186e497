/** Measures whether a page stays responsive during work. */

const TICK_MS = 50;

/** Shares of the duration of the work. A busy machine makes the work longer too, so that they hardly change. */
export interface Lateness {
  /** The largest delay of a tick. Near 1, the page stood still during all of the work. */
  readonly late: number;
  /** The ticks of a 50 ms timer, times 50 ms. Near 0, the page had no time for them. */
  readonly ticked: number;
  readonly ms: number;
}

/** Runs a 50 ms timer during work, and returns its delays. */
export const lateness = async (work: () => Promise<unknown>): Promise<Lateness> => {
  const begin = performance.now();
  let [most, ticks, last] = [0, 0, begin];
  const tick = (now: number): void => {
    most = Math.max(most, now - last - TICK_MS);
    last = now;
  };
  const timer = setInterval(() => {
    tick(performance.now());
    ticks += 1;
  }, TICK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const end = performance.now();
  // The last, incomplete tick counts, because a blocked page has no other.
  tick(end);
  const ms = end - begin;
  return { late: most / ms, ticked: (ticks * TICK_MS) / ms, ms };
};
