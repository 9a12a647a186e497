/** Runs a conformance suite under vitest. Each case has its own harness. A skipped case is reported with its reason. */
import { test } from 'vitest';
import type { Case } from '../src/testing/case.ts';
import { isSkippedCase } from '../src/testing/case.ts';

export const runCases = <H>(cases: readonly Case<H>[], makeHarness: () => H | Promise<H>): void => {
  for (const { name, run } of cases) {
    test(name, async (context) => {
      const harness = await makeHarness();
      try {
        await run(harness);
      } catch (error) {
        if (isSkippedCase(error)) {
          context.skip(error.message);
        }
        throw error;
      }
    });
  }
};
