/** The parts of an open repository. Every operation in this folder takes them. */
import type { VerifySignature } from '../crypto/keys.ts';
import type { CidCache } from '../blocks/cid-cache.ts';
import type { BlobMention } from '../data/blob-ref.ts';
import type { Bytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';
import type { Signer } from '../crypto/signer.ts';
import type { SignBytes } from '../crypto/signing-key.ts';
import type { CreateHash, HashAll } from '../data/sha256.ts';
import type { NodeReader } from '../mst/node-reader.ts';
import type { GroupingStore } from '../storage/grouping-store.ts';
import type { BlobStore, BlockChange, StoreReader } from '../storage/ports.ts';
import type { TidClock } from '../syntax/tid.ts';
import type { Pins } from './care/pins.ts';
import type { Listeners } from './read/listeners.ts';
import type { Validate } from './record.ts';
import type { Head } from './repo.ts';

/** Cached facts about keys. */
export interface KnownKeys {
  /** The key that signed a head. Checked once per head. */
  signed: { readonly head: CID; readonly key: string } | undefined;
  /** The stored key of the account. Stays unknown if another owner of the store may write it. */
  account: string | undefined;
  /** Whether the base of local work is stored. */
  hasBase: boolean;
}

/** A tree that was checked completely, and all of whose blocks are stored. */
export interface WholeTree {
  readonly data: CID;
  /** Number of records. */
  readonly leaves: number;
}

/** A tree, and the number of records in each of its collections. */
export interface CountedTree {
  readonly data: CID;
  readonly counts: ReadonlyMap<string, number>;
}

/** A tree, and the blobs that its records mention, by their keys. */
export interface MentioningTree {
  readonly data: CID;
  readonly byPath: ReadonlyMap<string, readonly BlobMention[]>;
  /** Number of mentions. */
  readonly count: number;
}

export interface RepoParts {
  readonly did: string;
  readonly store: GroupingStore;
  readonly blobs: BlobStore;
  /** Reads tree nodes through a bounded cache. */
  readonly nodes: NodeReader;
  /** The records that `get` has read and hashed. */
  readonly records: CidCache<Bytes>;
  readonly clock: TidClock;
  readonly signer: Signer | undefined;
  readonly validate: Validate | undefined;
  /** Hashes many messages at once. */
  readonly hashAll: HashAll;
  /** Starts the hash of a message that comes in parts. */
  readonly createHash: CreateHash;
  readonly verifySignature: VerifySignature;
  readonly signBytes: SignBytes | undefined;
  /** Lets the event loop run in the middle of long work. */
  readonly yieldToEvents: () => Promise<void>;
  /** Commits that running readers use. `gc` keeps them. */
  readonly pins: Pins;
  /**
   * Times at which blobs were stored since opening, in milliseconds since 1970, by CID text. Used if the blob store has
   * no times or another clock.
   */
  readonly storedBlobs: Map<string, number>;
  /**
   * The head that was read last. Its commit is read, hashed and decoded once, not per record. And the last trees that
   * are known to be whole, that were counted, and whose mentions of blobs were read.
   */
  readonly heads: {
    last: Head | undefined;
    whole: WholeTree | undefined;
    counted: CountedTree | undefined;
    mentioning: MentioningTree | undefined;
  };
  readonly keys: KnownKeys;
  /** Whether nobody else can have the repository open. */
  readonly isOnlyOwner: boolean;
  readonly listeners: Listeners;
}

/** The parts for reading. `store` is the block store, or a change in progress. */
export type ReadParts = Omit<RepoParts, 'store'> & { readonly store: StoreReader };

/**
 * Returns the same parts, with all reads going through a change. Inside `transact`, reads of the store itself would
 * deadlock a connection pool.
 */
export const partsIn = (parts: RepoParts, change: BlockChange): ReadParts => ({
  ...parts,
  store: change,
  nodes: parts.nodes.over(change),
});
