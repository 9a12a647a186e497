/** Argument checks for callers without types: JSON has CIDs as texts, and a script may pass anything. */
import { asCid } from '../../data/cid.ts';
import type { WriteOp, WriteOptions } from '../repo.ts';
import { assertMetaValues } from './meta.ts';

/** @throws {TypeError} unless the value is a CID, of any copy of multiformats. */
export const assertCid = (value: unknown, name: string): void => {
  if (asCid(value) === undefined) {
    throw new TypeError(`expected a CID: use parseCid for a text; ${name}=${String(value).slice(0, 80)}`);
  }
};

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * @throws {TypeError} unless each CID to swap is a CID, `null` or absent, and each meta value is valid.
 * @throws {RepoError} `LimitExceeded` when a meta value is too large.
 */
export const assertWriteOptions = ({ swapCommit, meta }: WriteOptions = {}, ops: readonly WriteOp[] = []): void => {
  if (isGiven(swapCommit)) {
    assertCid(swapCommit, 'swapCommit');
  }
  for (const { swapRecord } of ops) {
    if (isGiven(swapRecord)) {
      assertCid(swapRecord, 'swapRecord');
    }
  }
  assertMetaValues(meta);
};
