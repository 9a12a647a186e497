/**
 * Cuts of pages that are stored in transactions, as a browser does. In a file of its own, so that it runs beside those
 * on a disk. `PDSDB_CUTS` says how many, `PDSDB_SEED` where to begin.
 */
import { expect, test } from 'vitest';
import { cutMany } from './cut-many.ts';
import { inOrigin } from './storage-kind.ts';

const cuts = Number(process.env['PDSDB_CUTS'] ?? 10_000);
const seed = Number(process.env['PDSDB_SEED'] ?? 1);

test(`${inOrigin.name}: ${cuts} cuts, from seed ${seed} on, lose nothing`, { timeout: 3_600_000 }, async () => {
  const counts = await cutMany(inOrigin, { cuts, seed });
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThanOrEqual(cuts);
});
