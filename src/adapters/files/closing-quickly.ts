/**
 * Closes the files of a page without waiting, because the browser may freeze the page at any moment. A frozen page
 * never finishes the removal of an empty WAL, and other tabs would wait for the files.
 *
 * For files in OPFS, where closing the handles is enough. Files in IndexedDB also have a connection and a lock, which
 * their own `close` releases in one turn.
 */
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';

const hasClose = (file: SyncFile): file is SyncFile & { close(): void } =>
  'close' in file && typeof file.close === 'function';

/**
 * Returns the same files. Once `isHurried` returns `true`, `close` does not wait, and empty files stay, as after a
 * crash.
 */
export const closingQuickly = (files: DatabaseFiles, isHurried: () => boolean): DatabaseFiles => {
  const { main, journal, wal, durableOn } = files;
  const close = async (): Promise<void> => {
    const handles = [wal, journal, main].filter(hasClose);
    if (!isHurried() || durableOn !== 'flush' || handles.length < 3) {
      await files.close();
      return;
    }
    for (const handle of handles) {
      handle.close();
    }
  };
  // In a hurry `persist` does nothing: flushed bytes are durable, and its check of the files would wait.
  const persist = async (): Promise<void> => {
    if (!isHurried() || durableOn !== 'flush') {
      await files.persist();
    }
  };
  return { main, journal, wal, durableOn, persist, close, [Symbol.asyncDispose]: close };
};
