/** A record's place: `collection/rkey` in the tree, `at://did/collection/rkey` outside. */
import { isRepoError, RepoError } from '../errors.ts';
import { assertCollection, assertRecordKey, MAX_RECORD_KEY_LENGTH } from '../syntax/identifiers.ts';

/** @throws {RepoError} `InvalidCollection`, `InvalidRecordKey`. */
export const recordPath = (collection: string, rkey: string): string => {
  assertCollection(collection);
  assertRecordKey(rkey);
  return `${collection}/${rkey}`;
};

/** The two halves of a key of the tree. */
export const splitPath = (path: string): { readonly collection: string; readonly rkey: string } => {
  const slash = path.indexOf('/');
  return { collection: path.slice(0, slash), rkey: path.slice(slash + 1) };
};

/** The path of a record, given whole or as collection and key. @throws {RepoError} as {@link recordPath}. */
export const pathOf = (path: string, rkey: string | undefined): string => {
  if (rkey !== undefined) {
    return recordPath(path, rkey);
  }
  const halves = splitPath(path);
  return recordPath(halves.collection, halves.rkey);
};

/** @throws {RepoError} `Malformed` unless a key of a tree from outside is a collection, a slash and a record key. */
export type AssertPath = (path: string) => void;

/**
 * For the keys of one tree, as its nodes were read: those have the characters of record keys, so that of a record key
 * its length is left to check. They come in order, and a collection is looked at once and not for each of its records.
 */
export const createAssertPath = (): AssertPath => {
  let known = '/';
  return (path) => {
    if (path.startsWith(known) && path.length - known.length <= MAX_RECORD_KEY_LENGTH) {
      return;
    }
    const { collection, rkey } = splitPath(path);
    try {
      assertCollection(collection);
      assertRecordKey(rkey);
      known = `${collection}/`;
    } catch (cause) {
      if (!isRepoError(cause)) {
        throw cause;
      }
      throw new RepoError('Malformed', `a key of the tree is not a collection and a record key: ${cause.message}`, {
        cause,
      });
    }
  };
};
