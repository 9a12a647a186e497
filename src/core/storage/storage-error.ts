/** What a platform's storage throws, in the words of this library. The one place where that is decided. */
import { RepoError, isRepoError } from '../errors.ts';
import { errorCode, errorName } from '../data/platform-values.ts';

/** Out of space, or out of quota: freeing some lets the same call succeed. */
const FULL: readonly unknown[] = ['EDQUOT', 'EFBIG', 'ENOSPC', 'NS_ERROR_FILE_NO_DEVICE_SPACE', 'QuotaExceededError'];

/** What Node throws under `--permission`, for a path that is not permitted and for `fsync`, which never is. */
const NODE_DENIED = 'ERR_ACCESS_DENIED';

/** Systems and file systems on which folders cannot be synced say so with one of these. */
const CANNOT_SYNC_FOLDER: readonly unknown[] = ['EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM', NODE_DENIED];

/** The system's code (`ENOENT`) of an error of Node, Bun or Deno; `undefined` when it has none. */
export const systemCodeOf = (error: unknown): string | undefined => errorCode(error);

/** Whether a file system, or a browser's, says that there is nothing of this name. */
export const isNotFound = (error: unknown): boolean =>
  systemCodeOf(error) === 'ENOENT' || errorName(error) === 'NotFoundError';

/**
 * Whether syncing a folder failed because that cannot be done here, in which case there is nothing to be done about it.
 */
export const cannotSyncFolder = (error: unknown): boolean => CANNOT_SYNC_FOLDER.includes(systemCodeOf(error));

/**
 * The `RepoError` of a failure of the storage, with the failure as its cause: `StorageFull`, or `StorageFailed`.
 * `doing` completes the sentence "… failed". A `RepoError` comes out as it is.
 */
export const toStorageError = (error: unknown, doing: string): RepoError => {
  if (isRepoError(error)) {
    return error;
  }
  const code = systemCodeOf(error);
  const name = errorName(error);
  if (name === 'NotCapable') {
    const flags = '--allow-read=<folder> --allow-write=<folder>';
    return new RepoError('StorageFailed', `${doing} is not permitted; run deno with ${flags}`, { cause: error });
  }
  if (code === NODE_DENIED) {
    const flags = '--allow-fs-read=<folder> --allow-fs-write=<folder>';
    return new RepoError('StorageFailed', `${doing} is not permitted; run node --permission with ${flags}`, {
      cause: error,
    });
  }
  if (FULL.includes(code) || FULL.includes(name)) {
    return new RepoError('StorageFull', `${doing} failed: no space is left`, { cause: error });
  }
  return new RepoError('StorageFailed', `${doing} failed${code === undefined ? '' : `; code=${code}`}`, {
    cause: error,
  });
};
