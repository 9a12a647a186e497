/** What a list shows: rows of which some are here and others come when they are wanted. */
import type { RecordValue, Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import type { Query } from './query.ts';

/** Where a record is. */
export interface RecordPath {
  readonly collection: string;
  readonly rkey: string;
}

/** A record, or what is wrong with it. */
export interface Row extends RecordPath {
  readonly value: RecordValue | undefined;
  readonly fault?: string | undefined;
  /** Of what a search has found: the text in it that says so. */
  readonly found?: string | undefined;
  /** Of what a search has found: what it looked for. */
  readonly query?: Query | undefined;
}

export interface Rows {
  readonly count: number;
  /** The row, or `undefined` while it is not here. */
  at(index: number): Row | undefined;
  /** What the row is of, which may be known before the row is here. */
  pathOf(index: number): RecordPath | undefined;
  /**
   * The rows from `first` up to `last` are in sight. Those that are not here come, unless others are wanted by then.
   */
  want(first: number, last: number): void;
}

export interface ReadOptions {
  /** A record key: begins after it, which is with the next older one. */
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/**
 * The records of a collection, newest first. One that breaks the data model is a row with a fault: it must not hide the
 * others, though a list ends at it.
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
