/** The rows of a list. Some are loaded, and others load on demand. */
import type { RecordValue, Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import type { Query } from './query.ts';

/** The path of a record. */
export interface RecordPath {
  readonly collection: string;
  readonly rkey: string;
}

/** A record, or its fault. */
export interface Row extends RecordPath {
  readonly value: RecordValue | undefined;
  readonly fault?: string | undefined;
  /** For a search result: the matching text. */
  readonly found?: string | undefined;
  /** For a search result: the query. */
  readonly query?: Query | undefined;
}

export interface Rows {
  readonly count: number;
  /** Returns the row, or `undefined` while it is not loaded. */
  at(index: number): Row | undefined;
  /** Returns the path of the row, which may be known before the row is loaded. */
  pathOf(index: number): RecordPath | undefined;
  /**
   * The rows from `first` to `last` are visible. Missing ones are loaded, unless other rows are visible by then.
   */
  want(first: number, last: number): void;
}

export interface ReadOptions {
  /** A record key: the list begins with the next older one. */
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/**
 * Yields the records of a collection, newest first. An invalid record is a row with a fault, so that it does not hide
 * the others.
 */
export const readRows = async function* (
  repo: Repo,
  collection: string,
  { cursor, limit = Infinity }: ReadOptions = {},
): AsyncGenerator<Row, void> {
  let last = cursor;
  let left = limit;
  while (left > 0) {
    const options = { cursor: last, reverse: true, ...(left === Infinity ? {} : { limit: left }) };
    try {
      for await (const { rkey, value } of repo.list(collection, options)) {
        last = rkey;
        left -= 1;
        yield { collection, rkey, value };
      }
      return;
    } catch (error) {
      if (!isRepoError(error, 'Malformed') && !isRepoError(error, 'Corrupt')) {
        throw error;
      }
      const faulty = await nextKey(repo, collection, last);
      if (faulty === undefined) {
        throw error;
      }
      last = faulty;
      left -= 1;
      yield { collection, rkey: faulty, value: undefined, fault: error.message };
    }
  }
};

const nextKey = async (repo: Repo, collection: string, cursor: string | undefined): Promise<string | undefined> => {
  const tree = await repo.checkout();
  for await (const { rkey } of tree.entries(collection, { cursor, limit: 1, reverse: true })) {
    return rkey;
  }
  return undefined;
};
