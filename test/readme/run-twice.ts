/** Runs the samples of a page, one after the other, twice. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReader } from './reader.ts';
import type { Reader } from './reader.ts';
import type { Sample } from './samples.ts';

const ROUNDS = [1, 2];

const nameOf = (sample: Sample): string => (sample.kind === 'file' ? sample.name : sample.code.split('\n')[0]!);

/** The program that runs a sample. */
export const programOf = (sample: Sample): string => (sample.kind === 'file' ? sample.command!.split(' ')[0]! : 'sh');

export interface Run {
  /** The folder that `buildPackage` returns. */
  readonly built: () => string;
  readonly samples: readonly Sample[];
  /** The path of a program by its name in a sample. `undefined` skips its samples. */
  readonly programs?: Readonly<Record<string, string | undefined>>;
  /** Runs the samples without the `npx` of npm. */
  readonly isNpxShort?: boolean;
  /** The files that the samples leave. */
  readonly made: readonly string[];
  /** Checks the output of a sample in a round, by the name of the sample. */
  readonly outcomes?: Readonly<Record<string, (printed: string, round: number) => void>>;
}

/** Registers a test for each sample and round. They share a folder with the files of the earlier ones. */
export const runTwice = ({ built, samples, programs = {}, isNpxShort = false, made, outcomes = {} }: Run): void => {
  let reader: Reader | undefined;
  beforeAll(async () => {
    reader = await createReader(built());
    if (isNpxShort) {
      await reader.shortenNpx();
    }
  });
  afterAll(() => reader?.remove());

  for (const round of ROUNDS) {
    for (const sample of samples) {
      const program = programOf(sample);
      const isMissing = program in programs && programs[program] === undefined;
      test.skipIf(isMissing)(`${nameOf(sample)}, run ${round}${isMissing ? ` (needs ${program})` : ''}`, async () => {
        const printed = await reader!.run(sample, programs as Readonly<Record<string, string>>);
        outcomes[nameOf(sample)]?.(printed, round);
      });
    }
  }

  test('leave the files that the page names', () => {
    expect(made.filter((path) => !existsSync(join(reader!.folder, path)))).toEqual([]);
  });
};
