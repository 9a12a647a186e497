/** Reads the bytes of records by CID, through the cache of records. */
import type { CidCache } from '../../blocks/cid-cache.ts';
import type { Bytes } from '../../data/bytes.ts';
import { detached } from '../../data/bytes.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { HashAll } from '../../data/sha256.ts';
import { RepoError } from '../../errors.ts';
import { assertBlocks, requireBlock } from '../../storage/checked-blocks.ts';
import type { BlockReader } from '../../storage/ports.ts';

/** The error of a record whose block is not stored. */
export const recordMissing = (path: string, cid: CID): RepoError =>
  new RepoError(
    'BlockNotFound',
    `the record's block is missing: import a CAR that has it; path=${path} cid=${cidToText(cid)}`,
  );

export interface RecordSource {
  readonly blocks: BlockReader;
  readonly hashAll: HashAll;
  /** Records that were read and hashed before. */
  readonly records?: CidCache<Bytes> | undefined;
}

/** Most bytes of a record that is cached. */
const MAX_CACHED = 16 * 1024;
/** Bytes that V8 uses for an array and its entry in the cache. */
const RECORD_OVERHEAD = 250;

/** Inserts bytes of the store into the cache, and returns a copy for the caller. A store may keep the same bytes. */
const copyOf = ({ records }: RecordSource, cid: CID, bytes: Bytes): Bytes => {
  const copy = bytes.slice();
  if (records !== undefined && bytes.length <= MAX_CACHED) {
    records.set(cid.bytes.slice() as CidBytes, detached(bytes), bytes.length + RECORD_OVERHEAD);
  }
  return copy;
};

/**
 * Returns a record's bytes with the hash checked. The caller may change them.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`.
 */
export const readRecord = async (source: RecordSource, cid: CID): Promise<Bytes> => {
  const known = source.records?.get(cid.bytes as CidBytes);
  if (known !== undefined) {
    return known.slice();
  }
  return copyOf(source, cid, await requireBlock(source.blocks, cid, source.hashAll));
};

/**
 * The same for many records, in order, with one read of the store. An entry is `undefined` if its block is missing.
 * @throws {RepoError} `Corrupt`.
 */
export const readRecords = async (source: RecordSource, cids: readonly CID[]): Promise<(Bytes | undefined)[]> => {
  const found = cids.map((cid) => source.records?.get(cid.bytes as CidBytes)?.slice());
  const absent = [...found.keys()].filter((i) => found[i] === undefined);
  if (absent.length > 0) {
    const wanted = absent.map((i) => cids[i]!);
    const read = await source.blocks.getMany(wanted);
    assertBlocks(source.hashAll, wanted, read);
    for (const [at, i] of absent.entries()) {
      const bytes = read[at];
      found[i] = bytes && copyOf(source, cids[i]!, bytes);
    }
  }
  return found;
};
