/** The blocks of a proof or of a commit event: a small CAR whose root is a commit. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID, CidLike } from '../../data/cid.ts';
import { CODEC_RAW, cidToText } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { readCarStream } from '../../car/reader.ts';
import type { CarSource } from '../../car/source.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { Commit } from '../commit.ts';
import { decodeRootCommit, noRoot, rootMissing } from '../root-commit.ts';

export interface ProofBlocks extends BlockReader {
  /** The CID of the commit: the first root of the CAR. */
  readonly root: CID;
  readonly commit: Commit;
  /** The block of the commit. */
  readonly commitBytes: Bytes;
}

/**
 * Reads the blocks of a CAR into memory. The hash of each block is checked.
 * @param maxSize The most bytes that the CAR may have.
 * @throws {RepoError} `Malformed` when the bytes are not a CAR, a block does not match its CID, or the root is not a
 *   commit; `BlockNotFound` when the CAR lacks its root; `LimitExceeded`.
 */
export const readProof = async (source: CarSource, maxSize: number): Promise<ProofBlocks> => {
  const car = await readCarStream(source, { maxSize });
  const [root] = car.roots;
  if (root === undefined) {
    await car.close();
    throw noRoot();
  }
  const blocks = new Map<string, Bytes>();
  for await (const batch of car) {
    for (const { cid, bytes } of batch) {
      if (cid.code === CODEC_RAW) {
        throw new RepoError(
          'Malformed',
          `a block of the CAR has a CID of raw bytes, expected dag-cbor: use the CAR of a repository; cid=${cidToText(cid)}`,
        );
      }
      blocks.set(cidToText(cid), bytes as Bytes);
    }
  }
  const read = (cid: CidLike): Bytes | undefined => blocks.get(cidToText(cid));
  const commitBytes = read(root);
  if (commitBytes === undefined) {
    throw rootMissing(root);
  }
  return {
    root,
    commit: decodeRootCommit(root, commitBytes),
    commitBytes,
    get: async (cid) => read(cid),
    getMany: async (cids) => cids.map(read),
  };
};
