/** Runs the cases for files and blobs in Deno, with permissions for the given folder only. */
import { openDenoBlobs } from '../../../src/adapters/blobs/deno-blobs.ts';
import { openDenoFiles } from '../../../src/adapters/files/deno-files.ts';
import { blobStoreCases } from '../../../src/testing/storage/blob-store-cases.ts';
import type { BlobStoreHarness } from '../../../src/testing/storage/blob-store-harness.ts';
import { assert, assertRejects } from '../../../src/testing/case.ts';
import { databaseFilesCases } from '../../../src/testing/files/database-files-cases.ts';
import type { DatabaseFilesHarness } from '../../../src/testing/files/database-files-cases.ts';
import { printCases } from '../print-cases.ts';
import { denoTestApi as deno } from './deno-test-api.ts';

const root = deno.args[0]!;
let count = 0;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const namesIn = (folder: string): string[] => Array.from(deno.readDirSync(folder), ({ name }) => name).sort();

const hasContent = (path: string): boolean => {
  try {
    return deno.lstatSync(path).size > 0;
  } catch {
    // Missing; a case that needs it fails.
    return false;
  }
};

const makeFilesHarness = async (): Promise<DatabaseFilesHarness> => {
  const folder = `${root}/files-${count++}/repo`;
  return {
    open: () => openDenoFiles(folder, { create: !hasContent(`${folder}/pds.db`) }),
    keeps: true,
    excludes: true,
    large: true,
    async breakOpen() {
      deno.mkdirSync(`${folder}/pds.db-wal`, { recursive: true });
      return async () => deno.removeSync(`${folder}/pds.db-wal`);
    },
    names: async () => namesIn(folder),
  };
};

const makeBlobsHarness = async (): Promise<BlobStoreHarness> => {
  const folder = `${root}/blobs-${count++}`;
  deno.mkdirSync(folder);
  const someCid = `bafkrei${'a'.repeat(52)}`;
  return {
    open: () => openDenoBlobs(folder),
    keeps: true,
    damage: async (cid, bytes) => deno.writeFileSync(`${folder}/blobs/ba/${cid}`, bytes),
    async litter() {
      deno.writeFileSync(`${folder}/blobs/.DS_Store`, text('x'));
      deno.writeFileSync(`${folder}/blobs/ba/notes.txt`, text('x'));
      deno.writeFileSync(`${folder}/blobs/ba/${someCid.toUpperCase()}`, text('x'));
      deno.mkdirSync(`${folder}/blobs/ba/${someCid}`);
    },
    leaveUnfinished: async () => deno.writeFileSync(`${folder}/blobs/${'0'.repeat(32)}.tmp-put`, text('half')),
    temporaryFiles: async () => namesIn(`${folder}/blobs`).filter((name) => name !== 'ba'),
  };
};

await printCases(databaseFilesCases, makeFilesHarness);
await printCases(blobStoreCases, makeBlobsHarness);
await printCases(
  [
    {
      name: 'a missing permission is StorageFailed and names the flags',
      async run() {
        await assertRejects(() => openDenoFiles(`${root}/../elsewhere`, { create: true }), 'StorageFailed', 'files');
        const error = await openDenoBlobs('/elsewhere').catch((cause: unknown) => cause);
        assert(error instanceof Error && error.message.includes('--allow-write'), String(error));
      },
    },
  ],
  async () => undefined,
);
