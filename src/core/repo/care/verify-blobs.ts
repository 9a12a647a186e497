/** Checks the blobs against their CIDs. */
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import { isBlobIntact } from '../read/blobs.ts';
import type { Search } from './verify-search.ts';
import { report } from './verify-search.ts';

const checkBlob = async (search: Search, cid: CID): Promise<void> => {
  try {
    const blob = await search.parts.blobs.get(cid);
    if (blob === undefined || !(await isBlobIntact(search.parts, cid, blob))) {
      report(
        search,
        'Corrupt',
        `the stored blob does not match its CID: run repair, then store the blob again; cid=${cidToText(cid)}`,
        { cid },
      );
    }
    search.tally.bytes += blob?.size ?? 0;
  } catch (error) {
    if (isRepoError(error, 'Closed')) {
      throw error;
    }
    // An unreadable blob does not hide others.
    report(
      search,
      isRepoError(error) ? error.code : 'StorageFailed',
      `the blob cannot be read: ${(error as Error).message}; cid=${cidToText(cid)}`,
      { cid },
    );
  }
};

/** Returns the number of blobs. */
export const checkBlobs = async (search: Search, signal: AbortSignal | undefined): Promise<number> => {
  const { blobs } = search.parts;
  let count = 0;
  for await (const { cid } of blobs.list()) {
    signal?.throwIfAborted();
    count += 1;
    await checkBlob(search, cid);
    search.notify();
  }
  for await (const { cid, message } of blobs.invalidEntries?.() ?? []) {
    report(search, 'Corrupt', message, { cid });
  }
  return count;
};
