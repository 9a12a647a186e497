/** What of the storage can be relied upon: every stored block against its hash, those of the history included. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID, CidLike } from '../../data/cid.ts';
import { bytesOfCid, isDigestOf } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { HashAll } from '../../data/sha256.ts';
import { isRepoError } from '../../errors.ts';
import type { BlockReader, StoreReader } from '../../storage/ports.ts';

/** Blocks that are hashed together. */
const BATCH = 64;
/** Blocks that are read with one request: 64 MiB when each is as large as a stored one may be. */
const READ_BATCH = 8;
/** Bytes that are hashed at once, even if they are of fewer blocks. */
const BATCH_BYTES: number = 4 * 1024 * 1024;

export interface Survey {
  /** Blocks that are here and are what their CIDs say. */
  readonly sound: CidSet;
  /** Blocks that are here and are not. */
  readonly damaged: CidSet;
}

/**
 * Hears of each block as it is looked at: `sound` says whether it is what its CID says. `bytes` is missing where it
 * cannot be read.
 */
export type OnBlock = (cid: CID, bytes: Bytes | undefined, sound: boolean) => void;

/** A block whose row is of the wrong type reads as one that is not there; all else that goes wrong rejects. */
const readOne = async (blocks: BlockReader, cid: CidLike): Promise<Bytes | undefined> => {
  try {
    return await blocks.get(cid);
  } catch (error) {
    if (!isRepoError(error, 'Corrupt')) {
      throw error;
    }
    return undefined;
  }
};

/**
 * Reads on past blocks that cannot be read: they are as if they were not there. For searches that know which these are.
 */
export const pastDamage = (blocks: BlockReader): BlockReader => ({
  get: (cid) => readOne(blocks, cid),
  async getMany(cids) {
    try {
      return await blocks.getMany(cids);
    } catch (error) {
      if (!isRepoError(error, 'Corrupt')) {
        throw error;
      }
      const found: (Bytes | undefined)[] = [];
      for (const cid of cids) {
        found.push(await readOne(blocks, cid));
      }
      return found;
    }
  },
});

/** Looks at every block, and hashes each once. @throws what `onBlock` throws, and what a storage that fails does. */
export const surveyBlocks = async (store: StoreReader, hashAll: HashAll, onBlock: OnBlock): Promise<Survey> => {
  const survey: Survey = { sound: createCidSet(), damaged: createCidSet() };
  const blocks = pastDamage(store);
  let read: [cid: CID, bytes: Bytes | undefined][] = [];
  let size = 0;
  const hash = (): void => {
    const digests = hashAll(read.flatMap(([, bytes]) => (bytes === undefined ? [] : [bytes])));
    let hashed = 0;
    for (const [cid, bytes] of read) {
      const sound = bytes !== undefined && isDigestOf(bytesOfCid(cid), digests, hashed++);
      (sound ? survey.sound : survey.damaged).add(cid.bytes);
      onBlock(cid, bytes, sound);
    }
    read = [];
    size = 0;
  };
  const look = async (cids: readonly CID[]): Promise<void> => {
    for (const [i, bytes] of (await blocks.getMany(cids)).entries()) {
      read.push([cids[i]!, bytes]);
      size += bytes?.length ?? 0;
    }
    if (read.length >= BATCH || size >= BATCH_BYTES) {
      hash();
    }
  };
  let batch: CID[] = [];
  for await (const cid of (store.maintenance ?? store).cids()) {
    batch.push(cid);
    if (batch.length === READ_BATCH) {
      await look(batch);
      batch = [];
    }
  }
  await look(batch);
  hash();
  return survey;
};
