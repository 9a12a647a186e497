/**
 * A process of its own that prepares one attack, or runs it and says how it ended and what it took. `node
 * attack-child.mjs make|run <number> <folder>`
 */
import { allAttacks } from './all-attacks.ts';
import type { AttackPeak } from './run-attack.ts';

const [what, number, folder] = process.argv.slice(2) as ['make' | 'run', string, string];
const attack = allAttacks[Number(number)]!;
if (what === 'make') {
  await attack.make(folder);
} else {
  const end = await attack.run(folder);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost: AttackPeak = {
    end,
    ms: Math.round((userCPUTime + systemCPUTime) / 1000),
    peakMb: Math.round(maxRSS / 1024),
  };
  console.log(JSON.stringify(cost));
}
