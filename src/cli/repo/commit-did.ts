import type { CarSource } from '../../index.ts';
import { RepoError, decodeCommit, readCarStream } from '../../index.ts';

/**
 * The DID that the commit of a CAR names: the account that the CAR says it is of. Reads up to the commit, which
 * servers put anywhere in the file, and lets go of the source.
 * @throws {RepoError} `Malformed` when this is no CAR or its root no commit; `BlockNotFound` when the root is not in
 *   it.
 */
export const didOfCar = async (source: CarSource): Promise<string> => {
  const car = await readCarStream(source);
  const root = car.roots[0];
  if (root === undefined) {
    await car.close();
    throw new RepoError('Malformed', 'a CAR without a root is no repository');
  }
  for await (const blocks of car) {
    const commit = blocks.find(({ cid }) => cid.equals(root));
    if (commit !== undefined) {
      return decodeCommit(commit.bytes).did;
    }
  }
  throw new RepoError('BlockNotFound', `the CAR does not hold its root; cid=${root.toString()}`);
};
