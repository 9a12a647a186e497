import type { CID, Repo, TreeEntry } from '../../index.ts';
import { cidEquals, readCar, RepoError } from '../../index.ts';

/** Returns the stored bytes of a record at a commit, also if they are not in the data model. */
export const storedBytes = async (repo: Repo, at: CID, { collection, rkey, cid }: TreeEntry): Promise<Uint8Array> => {
  for (const block of readCar(await repo.proveRecord(`${collection}/${rkey}`, { at }))) {
    if (cidEquals(block.cid, cid)) {
      return block.bytes;
    }
  }
  throw new RepoError('BlockNotFound', `the record is missing: run pdsdb verify; path=${collection}/${rkey}`);
};
