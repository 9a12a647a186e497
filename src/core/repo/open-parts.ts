/** The parts of an open repository, which every operation of this folder works on. */
import type { VerifySignature } from '../crypto/keys.ts';
import type { CID } from '../data/cid.ts';
import type { Signer } from '../crypto/signer.ts';
import type { HashAll } from '../data/sha256.ts';
import type { NodeReader } from '../mst/node-reader.ts';
import type { BlobStore, BlockChange, BlockStore, StoreReader } from '../storage/ports.ts';
import type { TidClock } from '../syntax/tid.ts';
import type { Pins } from './care/pins.ts';
import type { Validate } from './record.ts';
import type { Head } from './repo.ts';

/** What is known of keys while the repository is open. */
export interface KnownKeys {
  /** The key that signed a head, which is checked once for each head. */
  signed: { readonly head: CID; readonly key: string } | undefined;
  /** The account's key as it is stored. */
  account: string | undefined;
  /** Whether the base of local work is stored. */
  hasBase: boolean;
}

export interface RepoParts {
  readonly did: string;
  readonly store: BlockStore;
  readonly blobs: BlobStore;
  /** Reads tree nodes through a bounded cache. */
  readonly nodes: NodeReader;
  readonly clock: TidClock;
  readonly signer: Signer | undefined;
  readonly validate: Validate | undefined;
  /** Hashes many messages at once. */
  readonly hashAll: HashAll;
  readonly verifySignature: VerifySignature;
  /** Lets the event loop run in the middle of long work. */
  readonly yieldToEvents: () => Promise<void>;
  /** What running readers need, and `gc` keeps for them. */
  readonly pins: Pins;
  /**
   * When blobs were stored since this repository was opened, in milliseconds since 1970, by the texts of their CIDs:
   * for a blob store that does not know, or whose clock is another one.
   */
  readonly storedBlobs: Map<string, number>;
  /**
   * The head that was read last: its commit is read, hashed and decoded once, and not for each record that is asked
   * for.
   */
  readonly heads: { last: Head | undefined };
  readonly keys: KnownKeys;
}

/** What reading needs of the parts: the store, or the change that is being made. */
export type ReadParts = Omit<RepoParts, 'store'> & { readonly store: StoreReader };

/**
 * Returns the same parts with every read going through a change. Inside `transact` nothing else may read: a store over
 * a pool of connections would wait for itself.
 */
export const partsIn = (parts: RepoParts, change: BlockChange): ReadParts => ({
  ...parts,
  store: change,
  nodes: parts.nodes.over(change),
});
