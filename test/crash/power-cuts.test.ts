/** Power cuts in recorded workloads. `PDSDB_CUTS` says how many on each kind of storage, `PDSDB_SEED` where to begin. */
import { expect, test } from 'vitest';
import { seeded } from '../random/seeded.ts';
import { cutMany } from './cut-many.ts';
import { anyCut, cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import { PowerCut } from './power-cut.ts';
import { inOrigin, onDisk } from './storage-kind.ts';
import { close, create, oneMore, open } from './workload.ts';

const cuts = Number(process.env['PDSDB_CUTS'] ?? 600);
const seed = Number(process.env['PDSDB_SEED'] ?? 1);

test.each([
  [onDisk.name, () => cutMany(onDisk, { cuts, seed })],
  [inOrigin.name, () => cutMany(inOrigin, { cuts, seed })],
] as const)(`%s: ${cuts} cuts, from seed ${seed} on, lose nothing`, { timeout: 3_600_000 }, async (_, run) => {
  const counts = await run();
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThanOrEqual(cuts);
});

test('a second cut does not take what the first has left, also where the disk damages the sector that it is writing', async () => {
  const random = seeded(seed);
  const first = await recordRun(onDisk, [create, oneMore('first')]);
  const power = new PowerCut(first.before);
  first.log.forEach((entry) => power.follow(entry));
  const before = power.image({ data: 'none', names: 'none', sector: 512, growth: 'zeros', damagesNeighbours: false }, random);
  const second = await recordRun(onDisk, [open, oneMore('second'), close], { before, state: first.states.at(-1)! });
  const counts = noCuts();
  const sort = (): ReturnType<typeof anyCut> => ({ ...anyCut(random), data: 'some', damagesNeighbours: true });
  await cutEverywhere(second, { random, each: 8, sort }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
});
