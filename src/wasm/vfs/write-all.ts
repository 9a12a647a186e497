/** Writes whole buffers, and detects a full disk on all platforms. */
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from './database-files.ts';

/** Chrome 150 returned this from `write` at the quota: FILE_ERROR_NO_SPACE (-8) as an unsigned number. */
const NO_SPACE = 2 ** 32 - 8;

/** Returns whether a platform returned a valid count of bytes. */
export const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most;

/**
 * Writes all of `buffer`, with several calls if the file accepts only a part.
 * @throws the errors of the file; `StorageFull` when it accepts no more bytes; `StorageFailed` when it returns an
 *   invalid count.
 */
export const writeAll = (file: SyncFile, buffer: Uint8Array, at: number): void => {
  const { length } = buffer;
  let done = 0;
  while (done < length) {
    const count = file.write(done === 0 ? buffer : buffer.subarray(done), { at: at + done });
    // Firefox 153 returns 0 at the quota.
    if (count === 0 || count === NO_SPACE) {
      throw new RepoError(
        'StorageFull',
        `writing a file failed: no space is left. Free some and try again; at=${at + done}`,
      );
    }
    if (!isCount(count, length - done)) {
      throw new RepoError(
        'StorageFailed',
        `writing a file failed: the platform returned an invalid count; count=${count} length=${length - done}`,
      );
    }
    done += count;
  }
};
