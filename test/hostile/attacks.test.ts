/**
 * The cost of hostile databases and backups, each in a separate process with little memory. With `PDSDB_COSTS=1`,
 * writes the table of docs/security.md.
 */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { bundleChild } from '../bundled-child.ts';
import { root } from '../house/sources.ts';
import { attackClasses } from './attacks.ts';
import { makeSound } from './folder-cases.ts';
import type { AttackCost } from './tables.ts';
import { attackTable, withTable } from './tables.ts';

/** Processor time of the process, because other processes use the machine too. */
const MOST_MS = 1000;
const MOST_MB = 100;
const HEAP_MB = 128;

const scratch = scratchFolder('attacks');
const sound = join(scratch, 'sound');
let child: string;
const costs: AttackCost[] = [];

beforeAll(async () => {
  await makeSound(sound);
  child = await bundleChild('test/hostile/attacks-child.ts');
});

afterAll(() => {
  if (process.env['PDSDB_COSTS'] === '1') {
    const path = join(root, 'docs', 'security.md');
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), 'attacks', attackTable(costs)));
  }
});

describe.each(attackClasses)('$name', ({ name: group, attacks }) => {
  test.each(attacks.map((one, i) => [one.name, one, i] as const))(
    '%s',
    { timeout: 120_000 },
    async (name, { make, use, end, ms = MOST_MS }, i) => {
      const folder = join(scratch, `${group}-${i}`);
      cpSync(sound, folder, { recursive: true });
      await make(folder);
      const { stdout } = await promisify(execFile)(process.execPath, [
        `--max-old-space-size=${HEAP_MB}`,
        child,
        sound,
        folder,
        use,
      ]);
      rmSync(folder, { recursive: true });
      const cost = JSON.parse(stdout) as { end: string; ms: number; grownMb: number };
      costs.push({ group, name, ...cost });
      expect(cost.end).toBe(end);
      expect(cost.grownMb, 'megabytes').toBeLessThan(MOST_MB);
      expect(cost.ms, 'milliseconds').toBeLessThan(ms);
    },
  );
});
