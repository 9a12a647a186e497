/**
 * Power cuts in workloads recorded on a disk. `PDSDB_CUTS` sets the number of cuts, and `PDSDB_SEED` the first seed.
 */
import { expect, test } from 'vitest';
import { seeded } from '../random/seeded.ts';
import { cutMany } from './cut-many.ts';
import { anyCut, cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import { PowerCut } from './power-cut.ts';
import { onDisk } from './storage-kind.ts';
import { close, create, oneMore, open } from './workload.ts';

const cuts = Number(process.env['PDSDB_CUTS'] ?? 5_000);
const seed = Number(process.env['PDSDB_SEED'] ?? 1);

test(`${onDisk.name}: ${cuts} cuts, from seed ${seed} on, lose nothing`, { timeout: 3_600_000 }, async () => {
  const counts = await cutMany(onDisk, { cuts, seed });
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThanOrEqual(cuts);
});

test('a second cut keeps the state after the first one, also if the disk damages the sector that it is writing', async () => {
  const random = seeded(seed);
  const first = await recordRun(onDisk, [create, oneMore('first')]);
  const power = new PowerCut(first.before);
  first.log.forEach((entry) => power.follow(entry));
  const before = power.image(
    { data: 'none', names: 'none', sector: 512, growth: 'zeros', damagesNeighbours: false },
    random,
  );
  const second = await recordRun(onDisk, [open, oneMore('second'), close], { before, state: first.states.at(-1)! });
  const counts = noCuts();
  const sort = (): ReturnType<typeof anyCut> => ({ ...anyCut(random), data: 'some', damagesNeighbours: true });
  await cutEverywhere(second, { random, each: 8, sort }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
});
