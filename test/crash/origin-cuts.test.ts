/**
 * Cuts of pages that are stored in transactions, as in a browser. A separate file, so that it runs in parallel with
 * those on a disk. `PDSDB_CUTS` sets the number of cuts, and `PDSDB_SEED` the first seed.
 */
import { expect, test } from 'vitest';
import { cutMany } from './cut-many.ts';
import { inOrigin } from './storage-kind.ts';

const cuts = Number(process.env['PDSDB_CUTS'] ?? 5_000);
const seed = Number(process.env['PDSDB_SEED'] ?? 1);

test(`${inOrigin.name}: ${cuts} cuts, from seed ${seed} on, lose nothing`, { timeout: 3_600_000 }, async () => {
  const counts = await cutMany(inOrigin, { cuts, seed });
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThanOrEqual(cuts);
});
