/** Runs the fuzzer for ten seconds, repeats its earlier findings, and runs it as its program. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { root } from '../house/sources.ts';
import { boundsCases } from '../hostile/bounds-cases.ts';
import { boundsFindings, corpus } from './corpus.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { removeFolders } from './folder-target.ts';
import { fuzzTargets } from './fuzz-targets.ts';
import { runCase, runFuzz } from './run-fuzz.ts';

const SECONDS = 10;
const SEED = 20_260_101;

afterAll(removeFolders);

test(`${SECONDS} seconds of damage find no fault (seed ${SEED})`, async () => {
  const { counts, findings } = await runFuzz(fuzzTargets, { seed: SEED, seconds: SECONDS });
  expect(findings).toEqual([]);
  // A slow case still runs.
  expect(counts.filter(({ cases }) => cases === 0)).toEqual([]);
});

test('the program that CONTRIBUTING.md names runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, 'test/fuzz/fuzz.mjs'),
    '--seconds',
    '2',
    '--seed',
    '1',
  ]);
  expect(stdout).toMatch(/\n[1-9]\d* cases, 0 findings of 0 kinds\n$/);
});

test.each(corpus.map((one) => [one.what, one] as const))('%s', async (_, { target, seed }) => {
  const found = fuzzTargets.find(({ name }) => name === target);
  expect(found).toBeDefined();
  expect(await runCase(found!, seed)).toBeUndefined();
});

test('each finding about time or memory is a case of the bounds tests', () => {
  expect(boundsCases.map(({ name }) => name)).toEqual(expect.arrayContaining([...boundsFindings]));
});

test('the fuzzer finds an error without a code and a changed prototype', async () => {
  const wrong = (run: () => void): FuzzTarget => ({
    name: 'wrong',
    run: async () => {
      run();
      return 'refused';
    },
  });
  const typeError = await runCase(
    wrong(() => (undefined as unknown as { a: () => void }).a()),
    1,
  );
  expect(typeError?.error).toMatch(/TypeError/);
  const polluted = await runCase(
    wrong(() => Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true })),
    2,
  );
  delete (Object.prototype as { polluted?: number }).polluted;
  expect(polluted?.error).toMatch(/prototype/);
});
