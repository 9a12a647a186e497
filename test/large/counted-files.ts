/** The files of a database, with counters of reads and writes. */
import type { DatabaseFiles, SyncFile } from '../../src/wasm/vfs/database-files.ts';

export interface Counts {
  /** The number of reads of pages of 4 KiB or of parts of them. */
  readPages: number;
  writtenPages: number;
  flushes: number;
}

const PAGE = 4096;

const counted = (file: SyncFile, counts: Counts): SyncFile => ({
  read(buffer, options) {
    counts.readPages += Math.ceil(buffer.length / PAGE);
    return file.read(buffer, options);
  },
  write(buffer, options) {
    counts.writtenPages += Math.ceil(buffer.length / PAGE);
    return file.write(buffer, options);
  },
  truncate: (size) => file.truncate(size),
  getSize: () => file.getSize(),
  flush() {
    counts.flushes += 1;
    file.flush();
  },
});

export const countedFiles = (files: DatabaseFiles, counts: Counts): DatabaseFiles => ({
  main: counted(files.main, counts),
  journal: counted(files.journal, counts),
  wal: counted(files.wal, counts),
  durableOn: files.durableOn,
  persist: () => files.persist(),
  close: () => files.close(),
  [Symbol.asyncDispose]: () => files.close(),
});
