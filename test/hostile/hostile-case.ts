/** One CAR from outside, and what has to become of it. */
import type { RepoErrorCode } from '../../src/core/errors.ts';
import type { ImportOptions } from '../../src/core/repo/long-work.ts';
import type { Repo } from '../../src/core/repo/repo.ts';

export interface HostileCase {
  readonly name: string;
  readonly car: () => Promise<Uint8Array> | Uint8Array;
  readonly options?: ImportOptions | undefined;
  /** The code it is refused with; `accepted`; or `reported`: taken in, with a fault for a record. */
  readonly expect: RepoErrorCode | 'accepted' | 'reported';
  /** What the message has to say, where one code stands for much. */
  readonly message?: RegExp | undefined;
  /** What else holds once it is accepted. */
  readonly then?: ((repo: Repo) => Promise<void>) | undefined;
}

export interface HostileClass {
  readonly name: string;
  readonly cases: readonly HostileCase[];
}

/** Cases that are refused with one code. */
export const refusals = (
  expect: RepoErrorCode,
  cars: Readonly<Record<string, HostileCase['car']>>,
  more: Pick<HostileCase, 'message' | 'options'> = {},
): HostileCase[] => Object.entries(cars).map(([name, car]) => ({ name, car, expect, ...more }));
