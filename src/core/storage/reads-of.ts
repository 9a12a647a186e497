/** The reads of a store, for an object that hands them on. */
import type { ReaderSource } from './checked-reader.ts';

type Reads<R extends ReaderSource> = Pick<R, Exclude<keyof ReaderSource, 'isDistant'>> &
  Pick<ReaderSource, 'isDistant'>;

/** Returns the reads of a store, a change or a table as functions. Other members are left out. */
export const readsOf = <R extends ReaderSource>(reader: R): Reads<R> => {
  const reads: ReaderSource = {
    isDistant: reader.isDistant,
    get: (cid) => reader.get(cid),
    getMany: (cids) => reader.getMany(cids),
    ref: (name) => reader.ref(name),
    refs: () => reader.refs(),
    meta: (name) => reader.meta(name),
    metaEntries: (prefix) => reader.metaEntries(prefix),
    commit: (rev) => reader.commit(rev),
    commits: (range) => reader.commits(range),
    cids: () => reader.cids(),
  };
  // Each returns what the reader returns: promises of a store, and values of a table.
  return reads as Reads<R>;
};
