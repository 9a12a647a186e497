/** A valid repository in a folder, changed by an attacker. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import type { Database } from '../../src/wasm/database/database.ts';
import { addToSums, FRAME_HEADER, LOG_HEADER } from '../../src/wasm/vfs/log-format.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';

export type Make = (folder: string) => Promise<void> | void;

const changed = async (folder: string, change: (database: Database) => void): Promise<void> => {
  const files = await openNodeFiles(folder);
  const database = await openDatabase(files);
  try {
    change(database);
  } finally {
    database.close();
    await files.close();
  }
};

/** Runs statements on the database. */
export const sql =
  (...statements: readonly string[]): Make =>
  (folder) =>
    changed(folder, (database) => statements.forEach((statement) => database.exec(statement)));

/** Runs statements, and leaves their changes in the WAL, as a kill does. */
export const inLog =
  (...statements: readonly string[]): Make =>
  async (folder) => {
    const paths = ['pds.db', 'pds.db-wal'].map((name) => join(folder, name));
    await changed(folder, (database) => {
      database.transaction(() => statements.forEach((statement) => database.exec(statement)));
      paths.forEach((path) => copyFileSync(path, `${path}.kept`));
    });
    paths.forEach((path) => writeFileSync(path, readFileSync(`${path}.kept`)));
  };

/** Computes the checksums of a WAL again after its pages were changed. */
const sumUp = (log: Buffer): void => {
  const size = FRAME_HEADER + log.readUInt32BE(8);
  const isBig = (log[3]! & 1) === 1;
  let sums = addToSums([0, 0], log, 0, LOG_HEADER - 8, isBig);
  for (let at = LOG_HEADER; at + size <= log.length; at += size) {
    sums = addToSums(sums, log, at, at + 8, isBig);
    sums = addToSums(sums, log, at + FRAME_HEADER, at + size, isBig);
    log.writeInt32BE(sums[0], at + 16);
    log.writeInt32BE(sums[1], at + 20);
  }
};

/**
 * Renames an object of the schema in the bytes of the files, to a name of the same length. SQLite sees the new name
 * when it reads its schema again.
 */
export const renamed =
  (make: Make, from: string, to: string): Make =>
  async (folder) => {
    await make(folder);
    for (const name of ['pds.db', 'pds.db-wal']) {
      const path = join(folder, name);
      let bytes: Buffer;
      try {
        bytes = readFileSync(path);
      } catch {
        // Most attacks leave no WAL.
        continue;
      }
      for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at)) {
        bytes.write(to, at, 'latin1');
      }
      if (name.endsWith('-wal')) {
        sumUp(bytes);
      }
      writeFileSync(path, bytes);
    }
  };

/** Pages of inner nodes of the schema. Each refers to the next one 500 times. */
export const manyWays: Make = (folder) => {
  const path = join(folder, 'pds.db');
  const page = (next: number): Uint8Array => {
    const bytes = new Uint8Array(4096);
    bytes.set([5, 0, 0, 500 >> 8, 500 & 255, 0, 0, 0, 0, 0, next >> 8, next & 255]);
    for (let i = 0; i < 500; i++) {
      bytes.set([4000 >> 8, 4000 & 255], 12 + 2 * i);
    }
    bytes.set([0, 0, next >> 8, next & 255, 1], 4000);
    return bytes;
  };
  const bytes = readFileSync(path);
  const pages = bytes.length / 4096;
  const added = Array.from({ length: 15 }, (_, i) => page(pages + 2 + i));
  const all = Buffer.concat([bytes, ...added, new Uint8Array(4096)]);
  all[all.length - 4096] = 13;
  all.set([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, (pages + 1) >> 8, (pages + 1) & 255], 100);
  // The number of pages.
  all.writeUInt32BE(pages + 16, 28);
  writeFileSync(path, all);
};
