/**
 * Storages in a browser for the cases: one repository name each, and changes without the library
 * back.
 */
import { del, get, keys, set } from 'idb-keyval';
import { openIdbBlobs } from '../../src/adapters/blobs/idb-blobs.ts';
import { openOpfsBlobs } from '../../src/adapters/blobs/opfs-blobs.ts';
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { hasIdbRepo, openIdbFiles } from '../../src/adapters/files/idb-files.ts';
import { hasOpfsRepo, openOpfsFiles } from '../../src/adapters/files/opfs-files.ts';
import { openIdbDatabase } from '../../src/adapters/origin/idb-database.ts';
import type { BlobStoreHarness } from '../../src/testing/storage/blob-store-harness.ts';
import type { DatabaseFilesHarness } from '../../src/testing/files/database-files-cases.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';

/** A text of the form of a blob's CID. */
const SOME_CID = `bafkrei${'a'.repeat(52)}`;

const X = new TextEncoder().encode('x');

let count = 0;
/** Returns a new name. */
export const newName = (): string => `case-${count++}-${Math.random().toString(36).slice(2)}`;

const folderOf = async (name: string): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });

const below = async (folder: FileSystemDirectoryHandle, ...names: string[]): Promise<FileSystemDirectoryHandle> => {
  for (const name of names) {
    folder = await folder.getDirectoryHandle(name, { create: true });
  }
  return folder;
};

const write = async (folder: FileSystemDirectoryHandle, name: string, content: Uint8Array | string): Promise<void> => {
  const file = (await folder.getFileHandle(name, { create: true })) as FileSystemFileHandle & {
    createSyncAccessHandle(): Promise<{
      write(bytes: Uint8Array): number;
      truncate(size: number): void;
      flush(): void;
      close(): void;
    }>;
  };
  const handle = await file.createSyncAccessHandle();
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  handle.truncate(0);
  handle.write(bytes);
  handle.flush();
  handle.close();
};

const namesIn = async (folder: FileSystemDirectoryHandle): Promise<string[]> => {
  const names: string[] = [];
  for await (const name of folder.keys()) {
    names.push(name);
  }
  return names.sort();
};

/**
 * Opens the files of a repository, or creates them. It checks first which of the two is needed,
 * because of many callers that try one and then the other, all may find the lock taken.
 */
export const openFiles = async (storage: BrowserStorage, name: string): Promise<DatabaseFiles> =>
  storage === 'opfs'
    ? openOpfsFiles(name, { create: !(await hasOpfsRepo(name)), waitMs: 0 })
    : openIdbFiles(name, { create: !(await hasIdbRepo(name)), waitMs: 0 });

export const filesHarness = (storage: BrowserStorage): DatabaseFilesHarness => {
  const name = newName();
  const shared = { open: () => openFiles(storage, name), keeps: true, excludes: true, large: false };
  if (storage === 'indexeddb') {
    return {
      ...shared,
      async breakOpen() {
        const database = (await openIdbDatabase(name, true))!;
        await set('files', 'no sizes', database.store('state'));
        return async () => {
          await del('files', database.store('state'));
          database.close();
        };
      },
    };
  }
  return {
    ...shared,
    async breakOpen() {
      const folder = await folderOf(name);
      // The last of the three to be opened.
      await below(folder, 'pds.db-wal');
      return () => folder.removeEntry('pds.db-wal');
    },
    names: async () => namesIn(await folderOf(name)),
  };
};

const opfsBlobs = (name: string): BlobStoreHarness => ({
  async open() {
    await folderOf(name);
    return openOpfsBlobs(name);
  },
  keeps: true,
  damage: async (cid, bytes) => write(await below(await folderOf(name), 'blobs', 'ba'), String(cid), bytes),
  async litter() {
    const blobs = await below(await folderOf(name), 'blobs');
    await write(blobs, '.DS_Store', 'x');
    await write(await below(blobs, 'ba'), 'notes.txt', 'x');
    await write(await below(blobs, 'ba'), SOME_CID.toUpperCase(), 'x');
    await write(await below(blobs, 'ba'), SOME_CID.replace('bafkrei', 'bafyrei'), 'x');
    await below(blobs, 'ba', SOME_CID);
  },
  leaveUnfinished: async () =>
    write(await below(await folderOf(name), 'blobs'), `${'0'.repeat(32)}.tmp-put`, 'half a blo'),
  temporaryFiles: async () =>
    (await namesIn(await below(await folderOf(name), 'blobs'))).filter((other) => other !== 'ba'),
});

const idbBlobs = (name: string): BlobStoreHarness => {
  const withBlobs = async <T>(
    run: (database: NonNullable<Awaited<ReturnType<typeof openIdbDatabase>>>) => Promise<T>,
  ): Promise<T> => {
    const database = (await openIdbDatabase(name, true))!;
    try {
      return await run(database);
    } finally {
      database.close();
    }
  };
  return {
    open: () => withBlobs(() => openIdbBlobs(name)),
    keeps: true,
    damage: (cid, bytes) => withBlobs((database) => set(String(cid), bytes.slice(), database.store('blobs'))),
    litter: () =>
      withBlobs(async (database) => {
        await set('notes.txt', X, database.store('blobs'));
        await set(7, X, database.store('blobs'));
        await set(SOME_CID.toUpperCase(), X, database.store('blobs'));
        await set(SOME_CID, 'x', database.store('blobs'));
      }),
    temporaryFiles: () =>
      withBlobs(async (database) => {
        const names = await keys(database.store('blobs'));
        const values = await Promise.all(names.map((key) => get<unknown>(key, database.store('blobs'))));
        const isOfBlob = (name: IDBValidKey, value: unknown): boolean =>
          value instanceof Blob ||
          value instanceof Uint8Array ||
          // The time at which an existing blob was stored.
          (typeof value === 'number' && names.some((other) => name === `time:${String(other)}`));
        return names.filter((name, i) => !isOfBlob(name, values[i])).map(String);
      }),
  };
};

export const blobsHarness = (storage: BrowserStorage): BlobStoreHarness =>
  storage === 'opfs' ? opfsBlobs(newName()) : idbBlobs(newName());
