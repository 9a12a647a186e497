// Medians, and how far they can be trusted.

export const medianOf = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** The number of values outside a 95 % interval of the median on either side, by the binomial distribution. */
const marginOf = (count) => {
  let below = 0;
  let chance = 0.5 ** count;
  for (let k = 0; ; k++) {
    below += chance;
    if (below > 0.025) {
      return k;
    }
    chance = (chance * (count - k)) / (k + 1);
  }
};

/** Returns the median of numbers with its 95 % interval. Of fewer than six numbers, the interval is their range. */
export const intervalOf = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const margin = Math.max(0, marginOf(sorted.length) - 1);
  return { low: sorted[margin], median: medianOf(sorted), high: sorted.at(-1 - margin) };
};
