/** Writing all of some bytes, whatever a platform does when there is no room. */
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from './database-files.ts';

/** Chrome 150 answered this from `write` at the quota: its FILE_ERROR_NO_SPACE, which is -8, as an unsigned number. */
const NO_SPACE = 2 ** 32 - 8;

/** Whether a count of bytes that a platform answered is one. */
export const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most;

/**
 * Writes all of `buffer`, in several goes where a file takes less at once.
 * @throws what the file throws; `StorageFull` where it only takes nothing more, `StorageFailed` where it answers
 *   nonsense.
 */
export const writeAll = (file: SyncFile, buffer: Uint8Array, at: number): void => {
  const { length } = buffer;
  let done = 0;
  while (done < length) {
    const count = file.write(done === 0 ? buffer : buffer.subarray(done), { at: at + done });
    // Firefox 153 takes nothing more at the quota, and says nothing.
    if (count === 0 || count === NO_SPACE) {
      throw new RepoError('StorageFull', `a write was not taken; at=${at + done}`);
    }
    if (!isCount(count, length - done)) {
      throw new RepoError('StorageFailed', `a write answered ${count}; asked=${length - done}`);
    }
    done += count;
  }
};
