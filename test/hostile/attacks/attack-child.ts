/**
 * A child process that prepares attacks, or runs one attack and prints the result and the cost. Each attack has a
 * folder with its number as name. `node attack-child.mjs make <number>[,<number>…] <folder>`, `run <number> <folder>`
 */
import { join } from 'node:path';
import { allAttacks } from './all-attacks.ts';
import type { AttackPeak } from './run-attack.ts';

const [what, numbers, scratch] = process.argv.slice(2) as ['make' | 'run', string, string];
if (what === 'make') {
  for (const number of numbers.split(',')) {
    await allAttacks[Number(number)]!.make(join(scratch, number));
  }
} else {
  const end = await allAttacks[Number(numbers)]!.run(join(scratch, numbers));
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost: AttackPeak = {
    end,
    ms: Math.round((userCPUTime + systemCPUTime) / 1000),
    peakMb: Math.round(maxRSS / 1024),
  };
  console.log(JSON.stringify(cost));
}
