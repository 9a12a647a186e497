/** One untrusted CAR, and its expected result. */
import type { RepoErrorCode } from '../../src/core/errors.ts';
import type { ImportOptions } from '../../src/core/repo/long-work.ts';
import type { Repo } from '../../src/core/repo/repo.ts';

export interface HostileCase {
  readonly name: string;
  readonly car: () => Promise<Uint8Array> | Uint8Array;
  readonly options?: ImportOptions | undefined;
  /** The code of the refusal; `accepted`; or `reported`: accepted, with a fault for a record. */
  readonly expect: RepoErrorCode | 'accepted' | 'reported';
  /** A pattern for the message, if one code stands for many faults. */
  readonly message?: RegExp | undefined;
  /** An additional check of an accepted CAR. */
  readonly then?: ((repo: Repo) => Promise<void>) | undefined;
}

export interface HostileClass {
  readonly name: string;
  readonly cases: readonly HostileCase[];
}

/** Returns cases that are refused with one code. */
export const refusals = (
  expect: RepoErrorCode,
  cars: Readonly<Record<string, HostileCase['car']>>,
  more: Pick<HostileCase, 'message' | 'options'> = {},
): HostileCase[] => Object.entries(cars).map(([name, car]) => ({ name, car, expect, ...more }));
