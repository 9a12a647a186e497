/** Reads a file of a database without SQLite. */
import type { Bytes } from '../../../core/data/bytes.ts';
import { toStorageError } from '../../../core/storage/storage-error.ts';
import type { SyncFile } from '../../../wasm/vfs/database-files.ts';

/** The part of a `SyncFile` that reads. */
export type ReadableFile = Pick<SyncFile, 'getSize' | 'read'>;

/**
 * Returns the same file, which throws `RepoError`.
 * @param doing The operation of the caller, for the message.
 */
export const readableFile = (file: SyncFile, doing: string): ReadableFile => {
  const attempt = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw toStorageError(error, doing);
    }
  };
  return {
    getSize: () => attempt(() => file.getSize()),
    read: (buffer, options) => attempt(() => file.read(buffer, options)),
  };
};

/** Returns `length` bytes, or `undefined` if the file has fewer. */
export const readAt = (file: ReadableFile, at: number, length: number): Bytes | undefined => {
  const bytes = new Uint8Array(length);
  return file.read(bytes, { at }) === length ? bytes : undefined;
};
