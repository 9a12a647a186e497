/** The reads of a store, for an object that hands them on. */
import type { ReaderSource } from './checked-reader.ts';

/** Returns the reads of a store, a change or a table as functions. Other members are left out. */
export const readsOf = <R extends ReaderSource>(reader: R): Pick<R, keyof ReaderSource> => {
  const reads: ReaderSource = {
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
  return reads as Pick<R, keyof ReaderSource>;
};
