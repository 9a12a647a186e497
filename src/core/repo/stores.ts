/** The stores and options that a repository is opened with. */
import type { VerifySignature } from '../crypto/keys.ts';
import { verifySignature as verifyInJavaScript } from '../crypto/keys.ts';
import type { Signer } from '../crypto/signer.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { NodeBudget } from '../mst/node-cache.ts';
import { createNodeReader } from '../mst/node-reader.ts';
import type { BlobStore, BlockStore } from '../storage/ports.ts';
import { createTidClock } from '../syntax/tid.ts';
import { Pins } from './care/pins.ts';
import type { Validate } from './record.ts';
import type { RepoParts } from './open-parts.ts';

/** Open stores. The repository owns both and closes them. */
export interface RepoStores {
  readonly did: string;
  readonly store: BlockStore;
  readonly blobs: BlobStore;
  readonly signer?: Signer | undefined;
  /** Checks each record that is written. */
  readonly validate?: Validate | undefined;
  /** Hashes many messages at once. Default: one by one in JavaScript. `createHashAll` makes a faster one. */
  readonly hashAll?: HashAll | undefined;
  /** Checks signatures. Default: in JavaScript. */
  readonly verifySignature?: VerifySignature | undefined;
  /**
   * Called often and awaited in the middle of long work. It lets the event loop run, so that a worker receives
   * messages while it works. Without it, long work does not yield.
   */
  readonly yieldToEvents?: (() => Promise<void>) | undefined;
  /** Bounds the memory of cached tree nodes. Repositories may share one. */
  readonly nodeBudget?: NodeBudget | undefined;
}

const neverYield = async (): Promise<void> => {};

/** Returns the parts of a repository over open stores. */
export const partsOf = (stores: RepoStores): RepoParts => {
  const {
    did,
    store,
    blobs,
    signer,
    validate,
    hashAll = hashOneByOne,
    verifySignature = verifyInJavaScript,
    yieldToEvents = neverYield,
    nodeBudget,
  } = stores;
  const nodes = createNodeReader(store, { hashAll, budget: nodeBudget });
  return {
    did,
    store,
    blobs,
    signer,
    validate,
    hashAll,
    verifySignature,
    yieldToEvents,
    nodes,
    clock: createTidClock(),
    pins: new Pins(),
    storedBlobs: new Map(),
    heads: { last: undefined, whole: undefined },
    keys: { signed: undefined, account: undefined, hasBase: false },
  };
};
