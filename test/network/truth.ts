/** Compares a copy with the state that the host must have after the writes of the driver. */
import { expect } from 'vitest';
import type { Repo } from '../../src/index.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import type { Driver } from './network.ts';

/** Returns the CIDs of a copy's records by path. */
export const recordsOf = async (repo: Repo): Promise<Map<string, string>> => {
  const tree = await repo.checkout();
  const records = new Map<string, string>();
  for await (const { collection, rkey, cid } of tree.entries()) {
    records.set(`${collection}/${rkey}`, cid.toString());
  }
  return records;
};

/** Expects the records and the head that the host must have, and no missing blob. */
export const expectTruth = async (repo: Repo, driver: Driver): Promise<void> => {
  expect([...(await recordsOf(repo))].sort()).toEqual([...driver.at()].sort());
  expect((await repo.head())?.cid.toString()).toBe(driver.head.cid);
  const missing = (await listOf(repo.missingBlobs())).map(({ cid }) => cid.toString());
  expect(missing).toEqual([]);
};
