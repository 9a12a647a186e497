/**
 * The result and the cost of each attack on a folder, a file or a command line. `PDSDB_WRITE=1` writes the costs into
 * docs/security.md. Without it, the test checks that the page has the same attacks and results.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';
import { allAttacks, attackClasses } from './attacks/all-attacks.ts';
import type { AttackPeak } from './attacks/run-attack.ts';
import { makeAttacks, runAttack } from './attacks/run-attack.ts';
import { peakTable, withTable } from './tables.ts';

/** Processor time, including the start of Node and the preparation of SQLite, with a margin for slow machines. */
const MOST_MS = 5_000;
/** A process that opens a sound repository takes about 110. */
const MOST_MB = 260;

const path = join(root, 'docs', 'security.md');
const scratch = scratchFolder('attacks');
const costs = new Map<string, AttackPeak>();

describe.each(attackClasses.map(({ name, attacks }) => [name, attacks] as const))('%s', (className, attacks) => {
  beforeAll(() =>
    makeAttacks(
      attacks.map((one) => allAttacks.indexOf(one)),
      scratch,
    ),
  );
  test.each(attacks.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const cost = await runAttack(allAttacks.indexOf(one), scratch);
    costs.set(`${className}: ${name}`, cost);
    expect(cost.end).toBe(one.end);
    expect(cost.peakMb, 'megabytes').toBeLessThan(MOST_MB + (one.mostMb ?? 0));
    expect(cost.ms, 'milliseconds').toBeLessThan(one.mostMs ?? MOST_MS);
  });
});

afterAll(() => {
  if (process.env['PDSDB_WRITE'] === '1') {
    const page = readFileSync(path, 'utf8');
    writeFileSync(path, withTable(page, 'folder attacks', peakTable(attackClasses, costs)));
  }
});
