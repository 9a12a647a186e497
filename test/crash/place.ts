/** A storage whose power can be cut, as a workload and a judge see it. */
import { createHash } from 'node:crypto';
import { openFolderBlobs } from '../../src/adapters/blobs/folder-blob-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { blobFolderPort, diskPort } from './disk-ports.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export interface Place {
  /** Creates the repository if `did` is given, and otherwise opens it, as an entry point does. */
  open(did?: string): Promise<Repo>;
  /** Ends the process that has it open. Its writes stay, and its later writes fail. */
  kill(): void;
  /** Marks the start or the acknowledgement of a step in the log. */
  mark(kind: 'start' | 'ack', step: number): void;
  /** Returns the files that a closed repository must not have. */
  remaining(): string[];
  /**
   * Returns a text that is equal for equal content of the database and of the blobs, after the repository was opened.
   * Opening checkpoints the WAL, so the rest of the WAL does not matter.
   */
  fingerprint(): string;
}

/** The hashes of files by their names. */
export const fingerprintOf = (files: Iterable<readonly [name: string, pieces: Iterable<Uint8Array>]>): string => {
  // With the hash of the platform, because each cut hashes a few hundred kilobytes, and JavaScript would take most of
  // the time.
  const hash = createHash('sha1');
  for (const [name, pieces] of files) {
    hash.update(`${name}\n`);
    for (const piece of pieces) {
      hash.update(piece);
    }
  }
  return hash.digest('hex');
};

/** The folder of the repository on a simulated disk. */
export const FOLDER = '/repo';

/** The names that a closed repository may have in its folder. */
const CLOSED = /^\/repo\/(pds\.db|blobs\/(ba\/(bafkrei[a-z2-7]{52})?)?)$/;

export const placeOn = (disk: SimulatedDisk): Place => ({
  open: (did) =>
    sqliteRepo(
      {
        wasm: nodeSqliteWasm,
        openFiles: () => openDiskFiles(diskPort(disk), FOLDER, { create: did !== undefined }),
        openBlobs: () => openFolderBlobs(blobFolderPort(disk, FOLDER)),
        // Imports are small in this test. Half of them bypass the WAL.
        isBulk: (bytes) => bytes % 2 === 0,
      },
      { did },
    ),
  kill: () => disk.kill(),
  mark: (kind, step) => disk.mark(kind, step),
  fingerprint: () =>
    fingerprintOf(
      disk.image
        .paths(FOLDER)
        .filter((path) => CLOSED.test(path) && !path.endsWith('/'))
        .map((path) => [
          `${path} ${disk.image.files.get(disk.image.find(path)!.id)!.size}`,
          disk.image.files.get(disk.image.find(path)!.id)!.pages(),
        ]),
    ),
  remaining: () => [
    ...disk.image.paths(FOLDER).filter((path) => !CLOSED.test(path)),
    ...(disk.openCount === 0 ? [] : [`${disk.openCount} open files`]),
  ],
});
