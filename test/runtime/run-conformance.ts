/** Runs a script in another runtime that prints one line per case, and makes a test of each line. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';

/** @param names Every case that the script must report, so that a missing one fails. */
export const runConformance = (
  suite: string,
  program: string,
  args: readonly string[],
  names: readonly string[],
): void => {
  let lines: Promise<string[]> | undefined;
  const run = async (): Promise<string[]> => {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 1 << 24 });
    return stdout.split('\n');
  };
  describe(suite, () => {
    for (const name of names) {
      test(name, async (context) => {
        lines ??= run();
        const all = await lines;
        const skipped = all.find((line) => line.startsWith(`skip ${name}: `));
        if (skipped !== undefined) {
          context.skip(skipped);
        }
        const reason =
          all.find((line) => line.startsWith(`not ok ${name}: `)) ??
          (all.includes(`ok ${name}`) ? undefined : 'no report');
        if (reason !== undefined) {
          throw new Error(reason);
        }
      });
    }
  });
};
