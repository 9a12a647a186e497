/** The main file of a database that is in use, as it is at one moment. */
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { MAIN_NAME } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { contentOf } from './file-content.ts';

/** What is needed of a database. Between two transactions. */
export interface FreezableDatabase {
  freeze(): boolean;
  thaw(): void;
}

/** How much of a file is copied into one `Blob`, which the browser then keeps wherever it keeps such bytes. */
const PIECE_SIZE = 1 << 20;

/**
 * Where the database writes ahead, its main file stays as it is until `release`, and is read as it is asked for.
 * Elsewhere (pages that IndexedDB keeps, which lie in memory) it is copied at once.
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
  const pieces: Blob[] = [];
  for (let at = 0; at < size; at += PIECE_SIZE) {
    const piece = new Uint8Array(Math.min(PIECE_SIZE, size - at));
    if (main.read(piece, { at }) !== piece.length) {
      throw new RepoError('StorageFailed', `the database ends before its end; at=${at}`);
    }
    pieces.push(new Blob([piece]));
  }
  return new Blob(pieces);
};
