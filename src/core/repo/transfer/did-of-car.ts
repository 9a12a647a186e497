import type { CarOptions } from '../../car/decoder.ts';
import { readCarStream } from '../../car/reader.ts';
import type { CarSource } from '../../car/source.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { decodeRootCommit } from '../root-commit.ts';

export interface DidOfCarOptions extends CarOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The DID of the account that a CAR says it is of. Reads as far as the commit, which servers put anywhere in the file,
 * and lets go of the source. Nothing but the hashes so far is checked; `importCar` checks the rest.
 * @throws {RepoError} `Malformed` when this is not a CAR, or its root is not a commit; `BlockNotFound` when the root is
 *   not in it; `LimitExceeded`.
 */
export const didOfCar = async (source: CarSource, options: DidOfCarOptions = {}): Promise<string> => {
  const car = await readCarStream(source, options);
  const [root] = car.roots;
  if (root === undefined) {
    await car.close();
    throw new RepoError('Malformed', 'the CAR names no root, so it holds blocks and no repository');
  }
  for await (const blocks of car) {
    options.signal?.throwIfAborted();
    const commit = blocks.find(({ cid }) => cidEquals(cid, root));
    if (commit !== undefined) {
      return decodeRootCommit(root, commit.bytes).did;
    }
  }
  throw new RepoError('BlockNotFound', `the commit that the CAR names is not in it; cid=${cidToText(root)}`);
};
