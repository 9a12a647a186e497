import type { CID, Repo } from '../../index.ts';
import { decodeCommit, isRepoError, parseCid, readCar } from '../../index.ts';

/**
 * Parses the name of a state: returns a CID for the text of a CID, and a rev or a ref unchanged.
 */
export const parseState = (text: string): string | CID => {
  try {
    return parseCid(text);
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return text;
  }
};

/** The path of a proof that brings the block of a commit. The record need not exist. */
const ANY_PATH = 'com.example.record/self';

/** Returns the commit of a state. @throws {RepoError} `RefNotFound` if no commit has that name. */
export const commitAt = async (
  repo: Repo,
  at: string | CID,
): Promise<{ readonly cid: CID; readonly rev: string; readonly data: CID }> => {
  // The proof begins with the commit.
  const [block] = readCar(await repo.proveRecord(ANY_PATH, { at }));
  const { rev, data } = decodeCommit(block!.bytes);
  return { cid: block!.cid, rev, data };
};
