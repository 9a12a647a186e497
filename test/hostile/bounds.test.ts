/**
 * The cost of hostile CARs, each in a separate process with little memory: refused or accepted within one second of
 * processor time.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { bundleChild } from '../bundled-child.ts';
import { boundsCases } from './bounds-cases.ts';
import { BASE_REV, carOf, posts, repositoryOf } from './build-repository.ts';

/** Processor time of the process, because other processes use the machine too. */
const MOST_MS = 1000;
const MOST_MB = 100;
const HEAP_MB = 128;

const scratch = scratchFolder('bounds');
let child: string;
const warm = join(scratch, 'warm.car');

beforeAll(async () => {
  child = await bundleChild('test/hostile/bounds-child.ts');
  writeFileSync(warm, carOf(await repositoryOf({ records: posts(200), fields: { rev: BASE_REV } })));
});

test.each(boundsCases.map((one, i) => [one.name, one, i] as const))('%s', async (_name, { car, end }, i) => {
  const path = join(scratch, `${i}.car`);
  writeFileSync(path, await car());
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--max-old-space-size=${HEAP_MB}`,
    child,
    join(scratch, `repo-${i}`),
    path,
    warm,
  ]);
  const cost = JSON.parse(stdout) as { end: string; ms: number; grownMb: number; polluted: boolean };
  expect(cost).toMatchObject({ end, polluted: false });
  expect(cost.grownMb, 'megabytes').toBeLessThan(MOST_MB);
  expect(cost.ms, 'milliseconds').toBeLessThan(MOST_MS);
});
