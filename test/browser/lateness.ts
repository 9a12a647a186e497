/** Whether a page, or a process, still answers while something is done. */

const TICK_MS = 50;

/** How late a timer of 50 ms is at most while something is done, and how often it ticked. */
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
