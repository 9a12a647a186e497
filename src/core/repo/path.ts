/** Paths of records, which are the keys of the tree: `collection/rkey`. */
import { isRepoError, RepoError } from '../errors.ts';
import { assertCollection, assertRecordKey, MAX_RECORD_KEY_LENGTH } from '../syntax/identifiers.ts';

/**
 * Returns `collection/rkey`.
 * @throws {RepoError} `InvalidCollection`, `InvalidRecordKey`.
 */
export const recordPath = (collection: string, rkey: string): string => {
  assertCollection(collection);
  assertRecordKey(rkey);
  return `${collection}/${rkey}`;
};

/** Splits a key of the tree. Checks nothing. */
export const splitPath = (path: string): { readonly collection: string; readonly rkey: string } => {
  const slash = path.indexOf('/');
  return { collection: path.slice(0, slash), rkey: path.slice(slash + 1) };
};

/**
 * Returns the path of a record, given as a path or as collection and key.
 * @throws {RepoError} as {@link recordPath}.
 */
export const pathOf = (path: string, rkey: string | undefined): string => {
  if (rkey !== undefined) {
    return recordPath(path, rkey);
  }
  const slash = path.indexOf('/');
  return slash < 0 ? recordPath(path, '') : recordPath(path.slice(0, slash), path.slice(slash + 1));
};

/** @throws {RepoError} `Malformed` when a key of an untrusted tree is not a collection, a slash and a record key. */
export type AssertPath = (path: string) => void;

/**
 * Returns a check for the keys of one tree, in key order. The node decoder has checked the characters of each key, so
 * only the length of a record key remains. Each collection is checked once.
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
      throw new RepoError('Malformed', `a key of the tree is not collection/rkey: ${cause.message}`, {
        cause,
      });
    }
  };
};
