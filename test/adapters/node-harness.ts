/** The harnesses of Node and Bun: one folder per case. */
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openNodeBlobs } from '../../src/adapters/blobs/node-blobs.ts';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import type { BlobStoreHarness } from '../../src/testing/storage/blob-store-harness.ts';
import type { DatabaseFilesHarness } from '../../src/testing/files/database-files-cases.ts';

/** A text of the form of a blob's CID. */
export const SOME_CID = `bafkrei${'a'.repeat(52)}`;

export const hasContent = (path: string): boolean => existsSync(path) && statSync(path).size > 0;

export const makeFilesHarness = async (root: string): Promise<DatabaseFilesHarness> => {
  const folder = join(await mkdtemp(join(root, 'files-')), 'repo');
  return {
    open: () => openNodeFiles(folder, { create: !hasContent(join(folder, 'pds.db')) }),
    keeps: true,
    excludes: true,
    large: true,
    async breakOpen() {
      // The last of the three to be opened.
      const wal = join(folder, 'pds.db-wal');
      await mkdir(wal, { recursive: true });
      return () => rmdir(wal);
    },
    names: () => readdir(folder),
  };
};

export const makeBlobsHarness = async (root: string): Promise<BlobStoreHarness> => {
  const folder = await mkdtemp(join(root, 'blobs-'));
  const at = (name: string): string => join(folder, 'blobs', name);
  return {
    open: () => openNodeBlobs(folder),
    keeps: true,
    damage: (cid, bytes) => writeFile(at(`ba/${cid}`), bytes),
    async litter() {
      await writeFile(at('.DS_Store'), 'x');
      await writeFile(at('ba/.DS_Store'), 'x');
      await writeFile(at('ba/notes.txt'), 'x');
      await writeFile(at(`ba/${SOME_CID.toUpperCase()}`), 'x');
      await writeFile(at(`ba/${SOME_CID.replace('bafkrei', 'bafyrei')}`), 'x');
      await symlink('notes.txt', at(`ba/${SOME_CID}`));
      await mkdir(at(`ba/${SOME_CID.slice(0, -2)}ea`));
    },
    leaveUnfinished: () => writeFile(at(`${'0'.repeat(32)}.tmp-put`), 'half a blo'),
    async temporaryFiles() {
      return (await readdir(join(folder, 'blobs'))).filter((name) => name !== 'ba');
    },
  };
};
