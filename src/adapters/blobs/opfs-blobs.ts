/** Stores blobs as files in the origin private file system: `<name>/blobs/ba/<cid>`. For dedicated workers. */
import { RepoError } from '../../core/errors.ts';
import { isNotFound } from '../../core/storage/storage-error.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { folderIn, moveFile, openSyncHandle, opfsRoot } from '../origin/opfs.ts';
import type { SyncHandle } from '../origin/opfs.ts';
import { RELEASE_MS } from '../origin/timeout.ts';
import { assertRepoName } from '../origin/repo-name.ts';
import type { BlobFolder, BlobWriter } from './blob-folder.ts';
import { openFolderBlobs } from './folder-blob-store.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** Bytes per copy, where files cannot be moved. */
const CHUNK_SIZE = 1 << 20;

/**
 * Opens the blobs of an existing repository. The caller must have its files open.
 *
 * `get` resolves to a `File`, which reads its bytes on demand. Reading fails once the blob is deleted.
 * @throws {RepoError} `RepoNotFound`; `StorageFull`; `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const openOpfsBlobs = async (name: string): Promise<BlobStore> => {
  assertRepoName(name);
  const folder = await folderIn(await opfsRoot(), name);
  if (folder === undefined) {
    throw new RepoError(
      'RepoNotFound',
      `the repository is missing: check the name, or create it with createRepo; name=${name}`,
    );
  }
  return openFolderBlobs(opfsFolder(folder));
};

class OpfsWriter implements BlobWriter {
  readonly #handle: SyncHandle;
  #size = 0;

  constructor(handle: SyncHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const count = this.#handle.write(bytes.subarray(done), { at: this.#size });
      // At the quota, Firefox writes fewer bytes, and Chrome 150 returned -8 as an unsigned number.
      if (!(count > 0 && count <= bytes.length - done)) {
        throw new RepoError(
          'StorageFull',
          `cannot store the blob: the browser's storage is full. Free some space; bytes=${this.#size}`,
        );
      }
      done += count;
      this.#size += count;
    }
  }

  /** Removes bytes of an earlier file after the written ones. */
  truncate(): void {
    this.#handle.truncate(this.#size);
  }

  async sync(): Promise<void> {
    this.#handle.flush();
  }

  async close(): Promise<void> {
    this.#handle.close();
  }
}

const opfsFolder = (top: FileSystemDirectoryHandle): BlobFolder => {
  /** Returns the parent folder of a path, and the name in it. */
  const resolve = async (path: string): Promise<{ folder: FileSystemDirectoryHandle; name: string }> => {
    const names = path.split('/');
    const name = names.pop()!;
    let folder = top;
    for (const above of names) {
      folder = await folder.getDirectoryHandle(above);
    }
    return { folder, name };
  };
  const fileAt = async (path: string): Promise<FileSystemFileHandle> => {
    const { folder, name } = await resolve(path);
    return folder.getFileHandle(name);
  };

  return {
    async entry(path) {
      try {
        const file = await (await fileAt(path)).getFile();
        return { kind: 'file', size: file.size, changedAt: undefined };
      } catch (error) {
        if (isNotFound(error)) {
          return undefined;
        }
        if (errorName(error) === 'TypeMismatchError') {
          return { kind: 'folder', size: 0 };
        }
        throw error;
      }
    },
    async *names(path) {
      const { folder, name } = await resolve(path);
      yield* (await folder.getDirectoryHandle(name)).keys();
    },
    async makeFolder(path) {
      const { folder, name } = await resolve(path);
      await folder.getDirectoryHandle(name, { create: true });
    },
    // Browsers have no such call. After a power cut a blob may be missing; `missingBlobs` lists it.
    syncFolder: async () => {},
    async create(path) {
      const { folder, name } = await resolve(path);
      return new OpfsWriter(await openSyncHandle(await folder.getFileHandle(name, { create: true }), RELEASE_MS));
    },
    async *read(path) {
      const file = await (await fileAt(path)).getFile();
      yield* chunksOf(file);
    },
    blob: async (path) => (await fileAt(path)).getFile(),
    async rename(from, to) {
      const source = await fileAt(from);
      const { folder, name } = await resolve(to);
      if (await moveFile(source, folder, name)) {
        return;
      }
      // A crash during the copy leaves a part of a blob under its name. A read detects that by the hash, and storing
      // the blob again repairs it.
      const writer = new OpfsWriter(
        await openSyncHandle(await folder.getFileHandle(name, { create: true }), RELEASE_MS),
      );
      try {
        for await (const chunk of chunksOf(await source.getFile())) {
          await writer.write(chunk);
        }
        writer.truncate();
        await writer.sync();
      } finally {
        await writer.close();
      }
      await this.remove(from);
    },
    // Replacing the file would abort a read of it in Firefox. So `storedAt` is unknown in OPFS.
    touch: async () => {},
    async remove(path) {
      const { folder, name } = await resolve(path);
      await folder.removeEntry(name);
    },
  };
};

async function* chunksOf(file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += CHUNK_SIZE) {
    yield new Uint8Array(await file.slice(at, at + CHUNK_SIZE).arrayBuffer());
  }
}
