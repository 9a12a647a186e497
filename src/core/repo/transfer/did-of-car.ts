import type { CarOptions } from '../../car/decoder.ts';
import { readCarStream } from '../../car/reader.ts';
import type { CarSource } from '../../car/source.ts';
import { cidEquals } from '../../data/cid.ts';
import { decodeRootCommit, noRoot, rootMissing } from '../root-commit.ts';

export interface DidOfCarOptions extends CarOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the DID in the commit of a CAR. Reads up to the commit, which may be anywhere in the file, then cancels the
 * source. Checks only hashes; `importCar` checks the rest.
 * @throws {RepoError} `Malformed` when the source is not a CAR, or its root is not a commit; `BlockNotFound` when the
 *   CAR does not contain its root; `LimitExceeded`.
 */
export const didOfCar = async (source: CarSource, options: DidOfCarOptions = {}): Promise<string> => {
  const car = await readCarStream(source, options);
  const [root] = car.roots;
  if (root === undefined) {
    await car.close();
    throw noRoot();
  }
  for await (const blocks of car) {
    options.signal?.throwIfAborted();
    const commit = blocks.find(({ cid }) => cidEquals(cid, root));
    if (commit !== undefined) {
      return decodeRootCommit(root, commit.bytes).did;
    }
  }
  throw rootMissing(root);
};
