/** Measures whether a page or a process stays responsive during work. */

const TICK_MS = 50;

/** Returns the largest delay of a 50 ms timer during work, and the number of its ticks. */
export const lateness = async (work: () => Promise<unknown>): Promise<{ late: number; ticks: number }> => {
  let [late, ticks, last] = [0, 0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    late = Math.max(late, now - last - TICK_MS);
    last = now;
    ticks += 1;
  }, TICK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { late, ticks };
};
