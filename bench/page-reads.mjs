// Counts the pages of SQLite that this process reads from files. Import it before anything reads.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const PAGE_SIZE = 4096;
const { readSync } = fs;
let pages = 0;

// `node-files.ts` reads with `readSync`. Shorter reads are headers of files and of WAL frames.
fs.readSync = (file, buffer, offset, length, position) => {
  pages += Math.floor(length / PAGE_SIZE);
  return readSync(file, buffer, offset, length, position);
};
syncBuiltinESMExports();

/** Runs work and returns the number of pages that it reads. */
export const pagesReadBy = async (work) => {
  const before = pages;
  await work();
  return pages - before;
};
