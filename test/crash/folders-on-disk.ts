/** The library's operations on whole folders, over a simulated disk. */
import { openFolderBlobs } from '../../src/adapters/blobs/folder-blob-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { restoreFolder } from '../../src/adapters/folders/restore.ts';
import type { Place } from '../../src/adapters/folders/place.ts';
import { writeBackup } from '../../src/adapters/folders/backup.ts';
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import type { SalvageReport } from '../../src/adapters/salvage/salvage.ts';
import { salvageFolder } from '../../src/adapters/salvage/salvage-folder.ts';
import type { RepoPlatform } from '../../src/adapters/sqlite/open-repo.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import type { BackupManifest } from '../../src/core/repo/transfer/backup-manifest.ts';
import { blobFolderPort, diskPort, parentFolderPort } from './disk-ports.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export const platformOn = (disk: SimulatedDisk, folder: string, create: boolean): RepoPlatform => ({
  wasm: nodeSqliteWasm,
  openFiles: () => openDiskFiles(diskPort(disk), folder, { create }),
  openBlobs: () => openFolderBlobs(blobFolderPort(disk, folder)),
});

export const placeOf = (disk: SimulatedDisk, name: string): Place => ({
  parent: parentFolderPort(disk, ''),
  name,
  path: `/${name}`,
  above: () => undefined,
});

export const backUp = async (disk: SimulatedDisk, from: string, to: string, force = false): Promise<void> => {
  const repo = await sqliteRepo(platformOn(disk, from, false), {});
  try {
    await writeBackup(placeOf(disk, to), repo.backup(), { force });
  } finally {
    await repo.close();
  }
};

export const restore = (disk: SimulatedDisk, from: string, to: string, force = false): Promise<BackupManifest> =>
  restoreFolder(
    placeOf(disk, from),
    placeOf(disk, to),
    { create: (name) => platformOn(disk, `/${name}`, true), openFiles: () => openDiskFiles(diskPort(disk), `/${to}`) },
    { force },
  );

export const salvage = (disk: SimulatedDisk, folder: string): Promise<SalvageReport> =>
  salvageFolder({
    wasm: nodeSqliteWasm,
    folder: parentFolderPort(disk, folder),
    openFiles: () => openDiskFiles(diskPort(disk), folder),
    createFiles: (name) => openDiskFiles(diskPort(disk), `${folder}/${name}`, { create: true }),
  });
