/** Maps errors of a platform's storage to {@link RepoError}. */
import { RepoError, isRepoError } from '../errors.ts';
import { errorCode, errorName } from '../data/platform-values.ts';

/** Out of space or quota. After space is freed, the same call succeeds. */
const FULL: readonly unknown[] = ['EDQUOT', 'EFBIG', 'ENOSPC', 'NS_ERROR_FILE_NO_DEVICE_SPACE', 'QuotaExceededError'];

/** Node's code under `--permission`, for a path that is not permitted, and for every `fsync`. */
const NODE_DENIED = 'ERR_ACCESS_DENIED';

/** Codes of systems and file systems that cannot sync folders. */
const CANNOT_SYNC_FOLDER: readonly unknown[] = ['EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM', NODE_DENIED];

/** Returns the system's code (`ENOENT`) of an error of Node, Bun or Deno, or `undefined`. */
export const systemCodeOf = (error: unknown): string | undefined => errorCode(error);

/** Returns whether an error of a file system or of OPFS means that the file or folder does not exist. */
export const isNotFound = (error: unknown): boolean =>
  systemCodeOf(error) === 'ENOENT' || errorName(error) === 'NotFoundError';

/** Returns whether syncing a folder failed because the platform does not support it. */
export const cannotSyncFolder = (error: unknown): boolean => CANNOT_SYNC_FOLDER.includes(systemCodeOf(error));

/**
 * Returns the `RepoError` of a storage failure, `StorageFull` or `StorageFailed`, with the failure as its cause.
 * `doing` completes the sentence "… failed". Returns a `RepoError` unchanged.
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
    return new RepoError('StorageFull', `${doing} failed: no space is left. Free some and try again`, { cause: error });
  }
  const found = code ?? name;
  return new RepoError(
    'StorageFailed',
    `${doing} failed: check the storage and its permissions${found === undefined ? '' : `; code=${found}`}`,
    {
      cause: error,
    },
  );
};
