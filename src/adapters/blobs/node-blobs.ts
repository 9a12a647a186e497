/** Blobs as files, with `node:fs`, for Node and Bun. */
import { constants, fsync, lstatSync, openAsBlob, opendirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../core/data/platform-values.ts';
import { RepoError } from '../../core/errors.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { cannotSyncFolder, isNotFound } from '../../core/storage/storage-error.ts';
import type { BlobFolder, BlobWriter } from './blob-folder.ts';
import type { OpenBlobsOptions } from './folder-blob-store.ts';
import { openFolderBlobs } from './folder-blob-store.ts';

/**
 * Opens the blobs of a repository's folder. The caller must hold the folder's lock, or pass `readOnly`.
 *
 * `get` resolves to a `Blob` over the file, which reads its bytes on demand. Reading fails once the blob is deleted.
 * @throws {RepoError} `RepoNotFound` if the folder is missing; `StorageFull`; `StorageFailed`.
 */
export const openNodeBlobs = (directory: string, options?: OpenBlobsOptions): Promise<BlobStore> =>
  openFolderBlobs(nodeFolder(resolve(directory)), options);

/** Missing on Windows. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** The bits of a mode that `chmod` sets. */
const PERMISSIONS = 0o7777;

/** Bytes per read: as many as the file has, between these. A folder of records has many small files. */
const MIN_CHUNK_SIZE = 1 << 12;
const CHUNK_SIZE = 1 << 18;

/** Names of a folder in one call. */
const NAMES_AT_A_TIME = 1024;

/** As in `node-files.ts`: `--permission` disables `fsync`, and files are opened with `O_SYNC`. */
const isRestricted = (): boolean => (process as { readonly permission?: unknown }).permission !== undefined;

/** Syncs a handle. The handles of Yarn's Plug'n'Play have no `sync`, so this uses `fsync` there. */
const syncHandle = async (handle: fs.FileHandle): Promise<void> => {
  try {
    await handle.sync();
  } catch (error) {
    if (errorCode(error) !== undefined) {
      throw error;
    }
    await promisify(fsync)(handle.fd);
  }
};

class NodeWriter implements BlobWriter {
  readonly #handle: fs.FileHandle;
  #size = 0;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size);
      if (bytesWritten === 0) {
        throw new RepoError(
          'StorageFailed',
          `cannot store the blob: the file accepted no more bytes. Check the disk; bytes=${done}`,
        );
      }
      done += bytesWritten;
      this.#size += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    if (!isRestricted()) {
      await syncHandle(this.#handle);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Returns a folder of the file system, for blobs and backups. */
export const nodeFolder = (directory: string): BlobFolder => {
  const at = (path: string): string => join(directory, path);
  return {
    async entry(path) {
      try {
        // A call that waits for a thread takes ten times as long.
        const stats = lstatSync(at(path));
        const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
        return { kind, size: stats.size, changedAt: Math.max(stats.mtimeMs, stats.ctimeMs) };
      } catch (error) {
        if (isNotFound(error)) {
          return undefined;
        }
        throw error;
      }
    },
    async *names(path) {
      const folder = opendirSync(at(path), { bufferSize: NAMES_AT_A_TIME });
      try {
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
          yield entry.name;
        }
      } finally {
        folder.closeSync();
      }
    },
    async makeFolder(path) {
      await fs.mkdir(at(path));
    },
    async syncFolder(path) {
      try {
        const handle = await fs.open(at(path), 'r');
        try {
          await syncHandle(handle);
        } finally {
          await handle.close();
        }
      } catch (error) {
        if (!cannotSyncFolder(error)) {
          throw error;
        }
      }
    },
    async create(path) {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_EXCL;
      return new NodeWriter(await fs.open(at(path), isRestricted() ? flags | constants.O_SYNC : flags));
    },
    async *read(path) {
      const handle = await fs.open(at(path), constants.O_RDONLY | NO_FOLLOW);
      try {
        // One more than the size, so that the end is found in the first read.
        const { size } = await handle.stat();
        const chunk = new Uint8Array(Math.min(CHUNK_SIZE, Math.max(MIN_CHUNK_SIZE, size + 1)));
        for (let position = 0; ; ) {
          const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
          if (bytesRead > 0) {
            yield chunk.subarray(0, bytesRead);
          }
          position += bytesRead;
          if (bytesRead === 0 || (bytesRead < chunk.length && position >= size)) {
            return;
          }
        }
      } finally {
        await handle.close();
      }
    },
    // Every supported Node has it without a warning, although its documentation calls it experimental.
    blob: (path) => openAsBlob(at(path)),
    rename: (from, to) => fs.rename(at(from), at(to)),
    async touch(path) {
      // Not by the modification time, because an open `Blob` over the file would become unreadable.
      await fs.chmod(at(path), (await fs.lstat(at(path))).mode & PERMISSIONS);
    },
    remove: (path) => fs.unlink(at(path)),
  };
};
