/** Blobs as files in the origin private file system: `<name>/blobs/ba/<cid>`. For dedicated workers. */
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

/** How much is copied at a time where files cannot be moved. */
const PIECE_SIZE = 1 << 20;

/**
 * Opens the blobs of a repository, whose folder has to be there. Whoever calls this owns it: has opened its files.
 *
 * `get` answers a `File`, whose bytes are read when they are asked for. Once the blob is deleted, reading it fails.
 * @throws {RepoError} `RepoNotFound`; `StorageFull`; `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
 */
export const openOpfsBlobs = async (name: string): Promise<BlobStore> => {
  assertRepoName(name);
  const folder = await folderIn(await opfsRoot(), name);
  if (folder === undefined) {
    throw new RepoError('RepoNotFound', `there is no repository of this name; name=${name}`);
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
      // At the quota Firefox takes less than it is given, and Chrome 150 answered -8 as an unsigned number.
      if (!(count > 0 && count <= bytes.length - done)) {
        throw new RepoError('StorageFull', `the file took no more bytes; at=${this.#size}`);
      }
      done += count;
      this.#size += count;
    }
  }

  /** Cuts off what was there before. */
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
  /** The folder that a path lies in, and the path's last name. */
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
    // There is no such call. A name that a power cut takes is a blob that is missing, which records tell.
    syncFolder: async () => {},
    async create(path) {
      const { folder, name } = await resolve(path);
      return new OpfsWriter(await openSyncHandle(await folder.getFileHandle(name, { create: true }), RELEASE_MS));
    },
    async *read(path) {
      const file = await (await fileAt(path)).getFile();
      yield* pieces(file);
    },
    blob: async (path) => (await fileAt(path)).getFile(),
    async rename(from, to) {
      const source = await fileAt(from);
      const { folder, name } = await resolve(to);
      if (await moveFile(source, folder, name)) {
        return;
      }
      // A crash in the middle leaves a part of a blob under its name. Whoever reads it sees that its hash is another,
      // and storing the blob again mends it.
      const writer = new OpfsWriter(
        await openSyncHandle(await folder.getFileHandle(name, { create: true }), RELEASE_MS),
      );
      try {
        for await (const piece of pieces(await source.getFile())) {
          await writer.write(piece);
        }
        writer.truncate();
        await writer.sync();
      } finally {
        await writer.close();
      }
      await this.remove(from);
    },
    // A second copy would replace a file that a page may be reading, which Firefox then aborts. So the time at which a
    // blob was stored again is not known here, and is not told.
    touch: async () => {},
    async remove(path) {
      const { folder, name } = await resolve(path);
      await folder.removeEntry(name);
    },
  };
};

async function* pieces(file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += PIECE_SIZE) {
    yield new Uint8Array(await file.slice(at, at + PIECE_SIZE).arrayBuffer());
  }
}
