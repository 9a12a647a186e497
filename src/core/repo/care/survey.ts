/** Checks the hash of every stored block, history included. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID, CidLike } from '../../data/cid.ts';
import { bytesOfCid, decodeCid, isDigestOf } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { HashAll } from '../../data/sha256.ts';
import { isRepoError } from '../../errors.ts';
import { hasInvalidRows, lenientReads } from '../../storage/lenient-reads.ts';
import type { BlockReader, StoreMaintenance, StoreReader } from '../../storage/ports.ts';

/** Blocks per hash call. */
const BATCH = 64;
/** Blocks per read request: 64 MiB if each has the largest size. */
const READ_BATCH = 8;
/** The same for a store on another machine. Most blocks have less than a kilobyte. */
const DISTANT_READ_BATCH = 128;
/** Bytes after which blocks are hashed, even if they are fewer than {@link BATCH}. */
const BATCH_BYTES: number = 4 * 1024 * 1024;

export interface Survey {
  /** Blocks whose bytes match their CIDs. */
  readonly sound: CidSet;
  /** Blocks whose bytes do not match, or cannot be read. */
  readonly damaged: CidSet;
}

/** Called for each block. `sound`: the bytes match the CID. `bytes` is `undefined` if the block cannot be read. */
export type OnBlock = (cid: CID, bytes: Bytes | undefined, sound: boolean) => void;

/** Returns `undefined` for an invalid row. Rejects on all other errors. */
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

/** Returns a reader that returns `undefined` for unreadable blocks. For searches that have already reported them. */
export const pastDamage = (blocks: BlockReader): BlockReader => ({
  isDistant: blocks.isDistant,
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

/** What is surveyed: a store or a change. */
interface Surveyed extends StoreReader {
  readonly maintenance?: StoreMaintenance | undefined;
}

/**
 * Reads every block and hashes it once. A scan skips invalid rows, which this must report. So it is used only if rows
 * cannot be invalid.
 * @throws the errors of `onBlock` and of the storage.
 */
export const surveyBlocks = async (store: Surveyed, hashAll: HashAll, onBlock: OnBlock): Promise<Survey> => {
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
  const add = (cid: CID, bytes: Bytes | undefined): void => {
    read.push([cid, bytes]);
    size += bytes?.length ?? 0;
    if (read.length >= BATCH || size >= BATCH_BYTES) {
      hash();
    }
  };
  const look = async (cids: readonly CID[]): Promise<void> =>
    (await blocks.getMany(cids)).forEach((bytes, i) => add(cids[i]!, bytes));
  const scan = hasInvalidRows(store.maintenance) ? undefined : await store.maintenance?.scan?.(Infinity);
  for await (const packed of scan ?? []) {
    for (let i = 0; i < packed.length; i++) {
      add(decodeCid(packed.cidAt(i).slice()), packed.bytesAt(i) as Bytes);
    }
  }
  const readBatch = store.isDistant === true ? DISTANT_READ_BATCH : READ_BATCH;
  let batch: CID[] = [];
  for await (const cid of scan === undefined ? lenientReads(store).cids() : []) {
    batch.push(cid);
    if (batch.length === readBatch) {
      await look(batch);
      batch = [];
    }
  }
  await look(batch);
  hash();
  return survey;
};
