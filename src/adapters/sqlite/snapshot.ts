/** Takes a snapshot of the main file of an open database. */
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { MAIN_NAME } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { contentOf } from './file-content.ts';

/** What a snapshot needs of a database. Both are called between two transactions. */
export interface FreezableDatabase {
  freeze(): boolean;
  thaw(): void;
}

/** Bytes that are copied into one `Blob`. The browser may keep a `Blob` outside of memory. */
const CHUNK_SIZE = 1 << 20;

/**
 * Returns the main file. With a WAL, the main file stays unchanged until `release` and is read on demand. Without one
 * (IndexedDB, whose pages are in memory) it is copied at once.
 */
export const takeSnapshot = (
  database: FreezableDatabase,
  files: DatabaseFiles,
  onRelease: () => void,
): { readonly file: BackupFile; readonly release: () => void } => {
  let isReleased = false;
  const release = (): void => {
    if (!isReleased) {
      isReleased = true;
      database.thaw();
      onRelease();
    }
  };
  try {
    const content = database.freeze() ? contentOf(files.main) : copyOf(files);
    return { file: { path: MAIN_NAME, content }, release };
  } catch (error) {
    release();
    throw toStorageError(error, 'reading the database');
  }
};

const copyOf = ({ main }: DatabaseFiles): Blob => {
  const size = main.getSize();
  const chunks: Blob[] = [];
  for (let at = 0; at < size; at += CHUNK_SIZE) {
    const chunk = new Uint8Array(Math.min(CHUNK_SIZE, size - at));
    if (main.read(chunk, { at }) !== chunk.length) {
      throw new RepoError(
        'StorageFailed',
        `the database became shorter while it was read: try again; size=${size} at=${at}`,
      );
    }
    chunks.push(new Blob([chunk]));
  }
  return new Blob(chunks);
};
