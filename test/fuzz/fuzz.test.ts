/** Ten seconds of what `node test/fuzz/fuzz.mjs` does for as long as one likes, and what it found before. */
import { afterAll, expect, test } from 'vitest';
import { boundsCases } from '../hostile/bounds-cases.ts';
import { boundsFindings, corpus } from './corpus.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { removeFolders } from './folder-target.ts';
import { fuzzTargets } from './fuzz-targets.ts';
import { runCase, runFuzz } from './run-fuzz.ts';

const SECONDS = 10;
const SEED = 20_260_101;

afterAll(removeFolders);

test(`${SECONDS} seconds of damage find nothing (seed ${SEED})`, async () => {
  const { counts, findings } = await runFuzz(fuzzTargets, { seed: SEED, seconds: SECONDS });
  expect(findings).toEqual([]);
  // A case that is slow to run still gets its turn.
  expect(counts.filter(({ cases }) => cases === 0)).toEqual([]);
});

test.each(corpus.map((one) => [one.what, one] as const))('%s', async (_, { target, seed }) => {
  const found = fuzzTargets.find(({ name }) => name === target);
  expect(found).toBeDefined();
  expect(await runCase(found!, seed)).toBeUndefined();
});

test('findings about time and memory are cases of the bounds tests', () => {
  expect(boundsCases.map(({ name }) => name)).toEqual(expect.arrayContaining([...boundsFindings]));
});

test('what must not happen is found: another error, a changed prototype', async () => {
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
