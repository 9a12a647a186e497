/** CIDs that a caller has given. The JSON of the lexicons has them as text, and a script has no types to say so. */
import { asCid } from '../../data/cid.ts';
import type { WriteOp, WriteOptions } from '../repo.ts';

/** @throws {TypeError} unless the value is a CID, be it one of another copy of multiformats. */
export const assertCid = (value: unknown, name: string): void => {
  if (asCid(value) === undefined) {
    throw new TypeError(`expected a CID, which parseCid makes of its text; ${name}=${String(value).slice(0, 80)}`);
  }
};

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** @throws {TypeError} unless what a write is to swap is a CID, `null` or left out. */
export const assertSwaps = ({ swapCommit }: WriteOptions = {}, ops: readonly WriteOp[] = []): void => {
  if (isGiven(swapCommit)) {
    assertCid(swapCommit, 'swapCommit');
  }
  for (const { swapRecord } of ops) {
    if (isGiven(swapRecord)) {
      assertCid(swapRecord, 'swapRecord');
    }
  }
};
