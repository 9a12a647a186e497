/**
 * Runs a conformance suite in any runtime, and prints one line per case: `ok name`, `skip name: reason`, `not ok name:
 * message`.
 */
import type { Case } from '../../src/testing/case.ts';
import { isSkippedCase } from '../../src/testing/case.ts';

export const printCases = async <H>(cases: readonly Case<H>[], makeHarness: () => Promise<H>): Promise<void> => {
  for (const { name, run } of cases) {
    try {
      await run(await makeHarness());
      console.log(`ok ${name}`);
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
      console.log(isSkippedCase(error) ? `skip ${name}: ${message}` : `not ok ${name}: ${message}`);
    }
  }
};
