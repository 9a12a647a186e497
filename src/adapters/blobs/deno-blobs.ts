/** Blobs as files, with Deno's own API. */
import { RepoError } from '../../core/errors.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { denoApi, denoPath } from './deno-api.ts';
import type { DenoApi, DenoFile } from './deno-api.ts';
import { cannotSyncFolder, isNotFound } from '../../core/storage/storage-error.ts';
import type { BlobFolder, BlobWriter } from './blob-folder.ts';
import type { OpenBlobsOptions } from './folder-blob-store.ts';
import { openFolderBlobs } from './folder-blob-store.ts';

/**
 * Opens the blobs of a repository's folder. The caller must hold the folder's lock, or pass `readOnly`.
 *
 * Deno has no `Blob` over a file, so `get` reads the whole blob into memory.
 * @throws {RepoError} `RepoNotFound` if the folder is missing; `StorageFull`; `StorageFailed`, also if a permission is
 *   missing.
 */
export const openDenoBlobs = async (directory: string, options?: OpenBlobsOptions): Promise<BlobStore> => {
  const deno = denoApi();
  return openFolderBlobs(denoFolder(deno, denoPath(deno, directory)), options);
};

class DenoWriter implements BlobWriter {
  #file: DenoFile | undefined;

  constructor(file: DenoFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const count = await this.#file!.write(bytes.subarray(done));
      if (count === 0) {
        throw new RepoError(
          'StorageFailed',
          `cannot store the blob: the file accepted no more bytes. Check the disk; bytes=${done}`,
        );
      }
      done += count;
    }
  }

  async sync(): Promise<void> {
    await this.#file!.sync();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }
}

const latest = (...times: readonly (Date | null | undefined)[]): number | undefined => {
  const known = times.flatMap((time) => time?.getTime() ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** Returns a folder of the file system, for blobs and backups. */
export const denoFolder = (deno: DenoApi, directory: string): BlobFolder => {
  const at = (path: string): string => `${directory}/${path}`;
  return {
    async entry(path) {
      try {
        const info = await deno.lstat(at(path));
        const kind = info.isFile ? 'file' : info.isDirectory ? 'folder' : 'other';
        return { kind, size: info.size, changedAt: latest(info.mtime, info.ctime) };
      } catch (error) {
        if (isNotFound(error)) {
          return undefined;
        }
        throw error;
      }
    },
    async *names(path) {
      for await (const { name } of deno.readDir(at(path))) {
        yield name;
      }
    },
    makeFolder: (path) => deno.mkdir(at(path)),
    async syncFolder(path) {
      try {
        const folder = await deno.open(at(path), { read: true });
        try {
          await folder.sync();
        } finally {
          folder.close();
        }
      } catch (error) {
        if (!cannotSyncFolder(error)) {
          throw error;
        }
      }
    },
    create: async (path) => new DenoWriter(await deno.open(at(path), { write: true, createNew: true })),
    async *read(path) {
      // The stream closes the file at its end, or when the reader stops early.
      const { readable } = await deno.open(at(path), { read: true });
      yield* readable;
    },
    blob: async (path) => new Blob([await deno.readFile(at(path))]),
    rename: (from, to) => deno.rename(at(from), at(to)),
    async touch(path) {
      // Not by setting the mode, as in Node, because Deno returns the time of that change only in whole seconds.
      const now = new Date();
      await deno.utime(at(path), now, now);
    },
    remove: (path) => deno.remove(at(path)),
  };
};
