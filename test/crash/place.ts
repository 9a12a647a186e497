/** Where a repository lies that can be cut off from its power: all that a workload and a judge need to know of it. */
import { openFolderBlobs } from '../../src/adapters/blobs/folder-blob-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { nodeSqliteWasm } from '../../src/adapters/node-sqlite-wasm.ts';
import { sqliteRepo } from '../../src/adapters/sqlite-repo.ts';
import type { Repo } from '../../src/core/repo.ts';
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
  leftovers(): string[];
}

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
      },
      { did },
    ),
  kill: () => disk.kill(),
  mark: (kind, step) => disk.mark(kind, step),
  leftovers: () => [
    ...disk.image.paths(FOLDER).filter((path) => !CLOSED.test(path)),
    ...(disk.openCount === 0 ? [] : [`${disk.openCount} open files`]),
  ],
});
