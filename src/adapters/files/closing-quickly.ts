/**
 * Files of a page that may be frozen at any moment. What closing them waits for (the removal of an empty log) a frozen
 * page never sees the end of, and everybody else would wait for the files.
 */
import type { DatabaseFiles, SyncFile } from '../../wasm/database-files.ts';

const hasClose = (file: SyncFile): file is SyncFile & { close(): void } => 'close' in file && typeof file.close === 'function';

/** The same files. Once `isHurried`, handles are closed without a wait, and empty files stay behind, as after a crash. */
export const closingQuickly = (files: DatabaseFiles, isHurried: () => boolean): DatabaseFiles => {
  const { main, journal, wal, durableOn } = files;
  const close = async (): Promise<void> => {
    const handles = [wal, journal, main].filter(hasClose);
    if (!isHurried() || handles.length < 3) {
      await files.close();
      return;
    }
    for (const handle of handles) {
      handle.close();
    }
  };
  return { main, journal, wal, durableOn, persist: () => files.persist(), close, [Symbol.asyncDispose]: close };
};
