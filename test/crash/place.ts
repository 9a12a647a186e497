/** Where a repository lies that can be cut off from its power: all that a workload and a judge need to know of it. */
import { createHash } from 'node:crypto';
import { openFolderBlobs } from '../../src/adapters/blobs/folder-blob-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { blobFolderPort, diskPort } from './disk-ports.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export interface Place {
  /** Makes the repository (`did` given) or opens it, as a platform's door does. */
  open(did?: string): Promise<Repo>;
  /** Ends the process that has it open: what it has written stays, and it writes nothing more. */
  kill(): void;
  /** Notes in the log that a step of the workload begins, or is acknowledged. */
  mark(kind: 'start' | 'ack', step: number): void;
  /** What a closed repository should not have left behind. */
  remaining(): string[];
  /**
   * A text that is the same for the same content of the database and of the blobs, once the repository is open: its log
   * is checkpointed then, and what is left of the log is nothing that anybody reads.
   */
  fingerprint(): string;
}

/** Of files by their names. */
export const fingerprintOf = (files: Iterable<readonly [name: string, pieces: Iterable<Uint8Array>]>): string => {
  // The platform's own: of some hundred kilobytes for each cut, JavaScript would make the most of the time.
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

/** What may lie in a repository's folder that nobody has open. */
const CLOSED = /^\/repo\/(pds\.db|blobs\/(ba\/(bafkrei[a-z2-7]{52})?)?)$/;

export const placeOn = (disk: SimulatedDisk): Place => ({
  open: (did) =>
    sqliteRepo(
      {
        wasm: nodeSqliteWasm,
        openFiles: () => openDiskFiles(diskPort(disk), FOLDER, { create: did !== undefined }),
        openBlobs: () => openFolderBlobs(blobFolderPort(disk, FOLDER)),
        // Imports are small here: half of them go past the log.
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
