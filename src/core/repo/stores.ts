/** The stores and options that a repository is opened with. */
import type { VerifySignature } from '../crypto/keys.ts';
import { verifySignature as verifyInJavaScript } from '../crypto/keys.ts';
import type { Signer } from '../crypto/signer.ts';
import type { SignBytes } from '../crypto/signing-key.ts';
import type { CreateHash, HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne, sha256Stream } from '../data/sha256.ts';
import { CacheBudget, CidCache } from '../blocks/cid-cache.ts';
import { createNodeReader } from '../mst/node-reader.ts';
import { groupingStore } from '../storage/grouping-store.ts';
import type { BlobStore, BlockStore } from '../storage/ports.ts';
import { createTidClock } from '../syntax/tid.ts';
import { Pins } from './care/pins.ts';
import type { Validate } from './record.ts';
import type { KnownKeys, RepoParts } from './open-parts.ts';
import { createListeners } from './read/listeners.ts';
import type { OtherHeads } from './read/other-heads.ts';

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
  /** Hashes the bytes of a blob or a backup. Default: in JavaScript. `sha256Stream` is faster. */
  readonly createHash?: CreateHash | undefined;
  /** Checks signatures. Default: in JavaScript. */
  readonly verifySignature?: VerifySignature | undefined;
  /** Signs commits by keys of `generateKey` and `importKey`. Default: in JavaScript. */
  readonly signBytes?: SignBytes | undefined;
  /**
   * Called often and awaited in the middle of long work. It lets the event loop run, so that a worker receives
   * messages while it works. Without it, long work does not yield.
   */
  readonly yieldToEvents?: (() => Promise<void>) | undefined;
  /**
   * Heads that other owners of the store make. Without it, listeners are notified of the changes of this repository
   * only.
   */
  readonly otherHeads?: OtherHeads | undefined;
  /** Bounds the memory of cached tree nodes and records. Repositories may share one. Default: 24 MiB of its own. */
  readonly cacheBudget?: CacheBudget | undefined;
}

/** Cached records. A post takes about half a kilobyte, so a full cache has about 16 MB. */
const RECORD_CACHE_CAPACITY = 32_768;

/** For a repository without a shared budget. */
const OWN_CACHE_BYTES: number = 24 * 1024 * 1024;

const neverYield = async (): Promise<void> => {};

/** Forgets what was read or noted of the stored state. */
export const forgetState = ({ nodes, heads, keys }: Pick<RepoParts, 'heads' | 'keys' | 'nodes'>): void => {
  nodes.clear();
  Object.assign(heads, { last: undefined, whole: undefined, counted: undefined, mentioning: undefined });
  Object.assign(keys, { signed: undefined, account: undefined, hasBase: false });
};

/** Returns the parts of a repository over open stores. */
export const partsOf = (stores: RepoStores): RepoParts => {
  const {
    did,
    store: given,
    blobs,
    signer,
    validate,
    hashAll = hashOneByOne,
    createHash = sha256Stream,
    verifySignature = verifyInJavaScript,
    signBytes,
    yieldToEvents = neverYield,
    cacheBudget = new CacheBudget(OWN_CACHE_BYTES),
  } = stores;
  const nodes = createNodeReader(given, { hashAll, budget: cacheBudget });
  const heads: RepoParts['heads'] = { last: undefined, whole: undefined, counted: undefined, mentioning: undefined };
  const keys: KnownKeys = { signed: undefined, account: undefined, hasBase: false };
  const store = groupingStore(given, () => {
    // Each change has noted what the next one reads, but is not stored.
    forgetState({ nodes, heads, keys });
  });
  return {
    did,
    store,
    blobs,
    signer,
    validate,
    hashAll,
    createHash,
    verifySignature,
    signBytes,
    yieldToEvents,
    nodes,
    records: new CidCache(RECORD_CACHE_CAPACITY, cacheBudget),
    clock: createTidClock(),
    pins: new Pins(given.exclusive ? undefined : async (cid) => (await given.get(cid)) !== undefined),
    storedBlobs: new Map(),
    heads,
    keys,
    isOnlyOwner: given.exclusive,
    listeners: createListeners(nodes, given.exclusive),
  };
};
