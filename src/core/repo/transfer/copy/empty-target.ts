/** The target of a copy must be a new repository. */
import { cidToText } from '../../../data/cid.ts';
import type { CidSet } from '../../../data/cid-set.ts';
import { RepoError } from '../../../errors.ts';
import type { BlobStore, StoreReader } from '../../../storage/ports.ts';
import { copiedMeta } from './source-state.ts';

const notEmpty = (found: string, did: string): RepoError =>
  new RepoError('RepoExists', `the target is not empty: copy into a new repository; found ${found} did=${did}`);

/** @throws {RepoError} `RepoExists`, which names what the target has. */
export const assertEmpty = async (store: StoreReader, did: string): Promise<void> => {
  for await (const [name, cid] of store.refs()) {
    throw notEmpty(`ref=${name} cid=${cidToText(cid)}`, did);
  }
  for await (const [rev] of store.commits()) {
    throw notEmpty(`commit=${rev}`, did);
  }
  for await (const [name] of copiedMeta(store)) {
    throw notEmpty(`meta=${name}`, did);
  }
  for await (const cid of store.cids()) {
    throw notEmpty(`block=${cidToText(cid)}`, did);
  }
};

/**
 * Blobs of the source may be stored: a copy that failed has left them, or both repositories share a store.
 * @returns the number of the source's blobs that are stored.
 * @throws {RepoError} `RepoExists` for another blob.
 */
export const assertOnlyBlobsOf = async (blobs: CidSet, target: BlobStore, did: string): Promise<number> => {
  let stored = 0;
  for await (const { cid } of target.list()) {
    if (!blobs.has(cid.bytes)) {
      throw notEmpty(`blob=${cidToText(cid)}`, did);
    }
    stored += 1;
  }
  return stored;
};
