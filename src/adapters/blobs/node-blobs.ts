/** Blobs as files, through `node:fs`: for Node and Bun. */
import { constants, fsync, openAsBlob } from 'node:fs';
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
 * Opens the blobs of a repository's folder. The caller owns the folder, because it has opened the files and holds the
 * lock; or it opens the blobs `readOnly`, which writes nothing.
 *
 * `get` resolves to a `Blob` over the file, whose bytes are read when they are asked for. Once the blob is deleted,
 * reading it fails.
 * @throws {RepoError} `RepoNotFound` when the folder is not there; `StorageFull`; `StorageFailed`.
 */
export const openNodeBlobs = (directory: string, options?: OpenBlobsOptions): Promise<BlobStore> =>
  openFolderBlobs(nodeFolder(resolve(directory)), options);

/** Missing on Windows, where there is less need of it. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** The bits of a mode that `chmod` sets. */
const PERMISSIONS = 0o7777;

/** How much of a file is hashed at a time. */
const PIECE_SIZE = 1 << 18;

/** As in `node-files.ts`: `--permission` disables `fsync`, and files are opened with `O_SYNC`. */
const isRestricted = (): boolean => (process as { readonly permission?: unknown }).permission !== undefined;

/** The handles of Yarn's Plug'n'Play have no `sync`, neither for files nor for folders. */
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
        throw new RepoError('StorageFailed', 'the file took no more bytes');
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

/** A folder of the file system, as the blobs and the backups need it. */
export const nodeFolder = (directory: string): BlobFolder => {
  const at = (path: string): string => join(directory, path);
  return {
    async entry(path) {
      try {
        const stats = await fs.lstat(at(path));
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
      for await (const { name } of await fs.opendir(at(path))) {
        yield name;
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
        const piece = new Uint8Array(PIECE_SIZE);
        for (let position = 0; ; ) {
          const { bytesRead } = await handle.read(piece, 0, piece.length, position);
          if (bytesRead === 0) {
            return;
          }
          position += bytesRead;
          yield piece.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    },
    // Present in every Node that is supported, and silent there, although its documentation calls it experimental.
    blob: (path) => openAsBlob(at(path)),
    rename: (from, to) => fs.rename(at(from), at(to)),
    async touch(path) {
      // Not by its time of modification: a `Blob` over the file that somebody holds could not be read any more.
      await fs.chmod(at(path), (await fs.lstat(at(path))).mode & PERMISSIONS);
    },
    remove: (path) => fs.unlink(at(path)),
  };
};
