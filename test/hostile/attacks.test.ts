/**
 * The end and the cost of each attack on a folder, a file or a command line, and of each CAR that requests large
 * resources. `PDSDB_WRITE=1` writes the costs into docs/security.md. Without it, `security-page.test.ts` compares the
 * attacks and their ends with that page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';
import { allAttacks, attackClasses } from './attacks/all-attacks.ts';
import type { AttackCost } from './attacks/run-attack.ts';
import { AttackRunner } from './attacks/run-attack.ts';
import { attackTable, withTable } from './tables.ts';

/** Of processor time, not by the clock, with a margin for a machine with other work. */
const MOST_MS = 3_000;
/** Above the memory of the process before the attack. */
const MOST_MB = 100;

const path = join(root, 'docs', 'security.md');
const runner = new AttackRunner(scratchFolder('attacks'));
const costs = new Map<string, AttackCost>();
afterAll(() => runner.stop());

describe.each(attackClasses.map(({ name, attacks }) => [name, attacks] as const))('%s', (className, attacks) => {
  beforeAll(() => runner.make(attacks.map((one) => allAttacks.indexOf(one))), 300_000);
  test.each(attacks.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const cost = await runner.run(allAttacks.indexOf(one));
    costs.set(`${className}: ${name}`, cost);
    expect(cost.end).toBe(one.end);
    expect(cost.grownMb, 'megabytes').toBeLessThan(MOST_MB + (one.mostMb ?? 0));
    expect(cost.ms, 'milliseconds').toBeLessThan(one.mostMs ?? MOST_MS);
  });
});

afterAll(() => {
  if (process.env['PDSDB_WRITE'] === '1') {
    const page = readFileSync(path, 'utf8');
    writeFileSync(path, withTable(page, 'attacks', attackTable(attackClasses, costs)));
  }
});
