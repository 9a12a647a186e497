/** What an open repository is made of, and how its commits are read. Every verb of this folder works on it. */
import type { CID, CidLike } from '../data/cid.ts';
import { bytesOfCid, cidEquals, cidToText, isDigestOf } from '../data/cid.ts';
import type { Commit } from './commit.ts';
import { decodeCommitBlock } from './commit.ts';
import type { Bytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { VerifySignature } from '../crypto/keys.ts';
import type { NodeReader } from '../mst/node-reader.ts';
import type { Head } from './repo.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { Signer } from '../crypto/signer.ts';
import type { BlobStore, BlockChange, BlockReader, BlockStore, StoreReader } from '../storage/ports.ts';
import type { TidClock } from '../syntax/tid.ts';
import type { Pins } from './care/pins.ts';

/** The ref that is the head. */
export const MAIN = 'main';

/** Meta keys of what this library adds: the words about a commit, and the MIME type of a blob. */
export const messageKey = (commit: CID): string => `message:${cidToText(commit)}`;
export const mimeTypeKey = (blob: CID): string => `mime:${cidToText(blob)}`;

export interface RepoParts {
  readonly did: string;
  readonly store: BlockStore;
  readonly blobs: BlobStore;
  /** Reads tree nodes through a bounded cache. */
  readonly nodes: NodeReader;
  readonly clock: TidClock;
  readonly signer: Signer | undefined;
  /** Hashes many messages at once. */
  readonly hashAll: HashAll;
  readonly verifySignature: VerifySignature;
  /** Lets others have a word in the middle of work that nothing else interrupts. */
  readonly breathe: () => Promise<void>;
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

/**
 * A block that has to be there, with its hash checked: what comes out of a storage is what its CID says, or an error.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`.
 */
export const requireBlock = async (
  reader: BlockReader,
  cid: CidLike,
  hashAll: HashAll = hashOneByOne,
): Promise<Bytes> => {
  const bytes = await reader.get(cid);
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `block not found; cid=${cidToText(cid)}`);
  }
  if (!isDigestOf(bytesOfCid(cid), hashAll([bytes]), 0)) {
    throw corrupt(cid);
  }
  return bytes;
};

const corrupt = (cid: CidLike): RepoError =>
  new RepoError('Corrupt', `the stored bytes are not those that the CID names; cid=${cidToText(cid)}`);

/**
 * The same for many blocks that were read, hashed together. What is not there is passed over.
 * @throws {RepoError} `Corrupt`, naming the first.
 */
export const assertBlocks = (
  hashAll: HashAll,
  cids: readonly CidLike[],
  blocks: readonly (Uint8Array | undefined)[],
): void => {
  const there = [...blocks.keys()].filter((i) => blocks[i] !== undefined);
  const digests = hashAll(there.map((i) => blocks[i]!));
  const wrong = there.find((i, at) => !isDigestOf(bytesOfCid(cids[i]!), digests, at));
  if (wrong !== undefined) {
    throw corrupt(cids[wrong]!);
  }
};

/** @throws {RepoError} `BlockNotFound`, `Corrupt`; `Malformed` when the block is not a commit, or its CID is raw. */
export const readCommit = async (reader: BlockReader, cid: CID): Promise<Commit> =>
  decodeCommitBlock(cid, await requireBlock(reader, cid));

export const headOf = (cid: CID, commit: Commit): Head => ({
  cid,
  rev: commit.rev,
  data: commit.data,
  signed: commit.sig !== undefined,
});

/** The newest commit, or `undefined` before the first one. */
export const readHead = async (parts: ReadParts): Promise<Head | undefined> => {
  const { heads, store } = parts;
  const cid = await store.ref(MAIN);
  if (cid === undefined || cidEquals(heads.last?.cid, cid)) {
    return cid && heads.last;
  }
  const head = headOf(cid, await readCommit(store, cid));
  heads.last = head;
  return head;
};

/** @throws {RepoError} `InvalidSwap` unless the head is the expected one; `undefined` expects nothing. */
export const assertSwapCommit = (head: Head | undefined, expected: CID | null | undefined): void => {
  if (expected !== undefined && !cidEquals(head?.cid, expected ?? undefined)) {
    throw new RepoError('InvalidSwap', `Commit was at ${head === undefined ? 'null' : cidToText(head.cid)}`);
  }
};
