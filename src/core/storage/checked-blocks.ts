/** Reads blocks of a store and checks their hashes. */
import type { Bytes } from '../data/bytes.ts';
import type { CidLike } from '../data/cid.ts';
import { bytesOfCid, cidToText, isDigestOf } from '../data/cid.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import { RepoError } from '../errors.ts';
import type { BlockReader } from './ports.ts';

/** Most CIDs that a message names. */
const MAX_NAMED = 5;

const notFound = (missing: readonly CidLike[]): RepoError =>
  new RepoError(
    'BlockNotFound',
    `blocks are not stored: verify the repository, or import a CAR that has them; missing=${missing.length} ` +
      `cids=${missing.slice(0, MAX_NAMED).map(cidToText).join(',')}`,
  );

/**
 * Returns the block with its hash checked.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`.
 */
export const requireBlock = async (
  reader: BlockReader,
  cid: CidLike,
  hashAll: HashAll = hashOneByOne,
): Promise<Bytes> => {
  const bytes = await reader.get(cid);
  if (bytes === undefined) {
    throw notFound([cid]);
  }
  if (!isDigestOf(bytesOfCid(cid), hashAll([bytes]), 0)) {
    throw corrupt(cid);
  }
  return bytes;
};

const corrupt = (cid: CidLike): RepoError =>
  new RepoError(
    'Corrupt',
    `the stored bytes do not match the CID: run repair, then import a CAR; cid=${cidToText(cid)}`,
  );

/**
 * Checks the hashes of many blocks together. Skips missing blocks.
 * @throws {RepoError} `Corrupt`, which names the first wrong block.
 */
export const assertBlocks = (
  hashAll: HashAll,
  cids: readonly CidLike[],
  blocks: readonly (Uint8Array | undefined)[],
): void => {
  const present = [...blocks.keys()].filter((i) => blocks[i] !== undefined);
  const digests = hashAll(present.map((i) => blocks[i]!));
  const wrong = present.find((i, at) => !isDigestOf(bytesOfCid(cids[i]!), digests, at));
  if (wrong !== undefined) {
    throw corrupt(cids[wrong]!);
  }
};

/**
 * Returns blocks in the order of their CIDs, with their hashes checked together.
 * @throws {RepoError} `BlockNotFound`, which names the first missing blocks; `Corrupt`.
 */
export const requireBlocks = async (
  reader: BlockReader,
  cids: readonly CidLike[],
  hashAll: HashAll,
): Promise<Bytes[]> => {
  const blocks = await reader.getMany(cids);
  const missing = cids.filter((_, i) => blocks[i] === undefined);
  if (missing.length > 0) {
    throw notFound(missing);
  }
  assertBlocks(hashAll, cids, blocks);
  return blocks as Bytes[];
};
