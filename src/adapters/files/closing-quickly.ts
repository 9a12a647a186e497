/**
 * Files of a page that may be frozen at any moment. What closing them waits for (the removal of an empty log) a frozen
 * page never sees the end of, and everybody else would wait for the files.
 *
 * Only for files whose handles are all there is to let go of, as in OPFS. Those that are persisted (pages in IndexedDB)
 * have a connection and a lock beside, which their own `close` lets go of, in one turn.
 */
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';

const hasClose = (file: SyncFile): file is SyncFile & { close(): void } =>
  'close' in file && typeof file.close === 'function';

/**
 * The same files. Once `isHurried`, handles are closed without a wait, and empty files stay behind, as after a crash.
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
  // What was flushed is durable, and the check that the files are still there is a wait.
  const persist = async (): Promise<void> => {
    if (!isHurried() || durableOn !== 'flush') {
      await files.persist();
    }
  };
  return { main, journal, wal, durableOn, persist, close, [Symbol.asyncDispose]: close };
};
