/** Heads that a host has not signed again after the key of the account has changed. */
import { readCar } from '../../core/car/reader.ts';
import { verifyCommit } from '../../core/repo/commit.ts';
import type { Account } from '../identity/account.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { previousKeys } from '../identity/previous-keys.ts';
import { fetchBlocks } from './fetched-car.ts';
import type { Host } from './host.ts';
import { retrying } from './host.ts';
import { asHostFailure } from './import-from-host.ts';
import type { HostHead } from './latest-commit.ts';

/** Returns whether the head of a host is signed with a key that the account had before. Fetches the commit alone. */
export const hasEarlierKey = async (
  host: Host,
  { cid: head }: HostHead,
  { did, key }: Account,
  options: IdentityOptions,
): Promise<boolean> => {
  const keys = await previousKeys(did, key, options);
  if (keys.length === 0) {
    return false;
  }
  const { session, signal } = host;
  try {
    const blocks = [...readCar(await retrying(host, () => fetchBlocks(session, did, [head], signal)))];
    const commit = blocks.find(({ cid }) => cid.toString() === head);
    return commit !== undefined && keys.some((earlier) => verifyCommit(commit.bytes, earlier));
  } catch (error) {
    throw asHostFailure(error);
  }
};
