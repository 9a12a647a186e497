/** Draws a share of the items, and at least one of them, so that a test with a small share never tests nothing. */
export const drawShare = <T>(items: readonly T[], share: number, random: () => number): T[] => {
  const drawn = items.filter(() => random() < share);
  return drawn.length > 0 ? drawn : items.slice(Math.floor(random() * items.length)).slice(0, 1);
};
