/** Errors of the file system, as messages with the path that the user gave, the reason, and what to do. */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied. Check the permissions of the path',
  EBUSY: 'it is in use. Close the program that uses it',
  EDQUOT: 'the disk quota is used up. Free some space',
  EFBIG: 'the file system does not allow a file of this size. Use another disk',
  EINVAL: 'the file system does not support it. Use another disk',
  EIO: 'the device failed. Check the disk',
  EISDIR: 'it is a folder. Give the path of a file',
  ELOOP: 'its symbolic links form a loop. Give another path',
  EMFILE: 'too many files are open. Close some programs, or raise the limit',
  ENAMETOOLONG: 'its name is too long. Choose a shorter name',
  ENOENT: 'the file or folder is missing. Check the path',
  ENOSPC: 'the disk is full. Free some space',
  ENOTDIR: 'a part of its path is not a folder. Check the path',
  ENOTEMPTY: 'the folder is not empty. Choose another folder',
  ENXIO: 'no program has the other end open. Start that program first',
  EPERM: 'the operation is not permitted. Check the permissions of the path',
  EROFS: 'the file system is read-only. Choose another folder',
};

/** The errno of the system (`ENOENT`), if the error has one. */
export const errnoOf = (error: unknown): string | undefined => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
};

const reasonOf = (errno: string): string => REASONS[errno] ?? `the system reports ${errno}. Check the path`;

/** The command cannot read or write a file. `code` is the errno of the system. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Returns a {@link FileError} `Cannot <doing> <path>` for an error of the system. Returns any other error unchanged,
 * and also `EPIPE`, which means that the reader has ended.
 */
export const toFileError = (error: unknown, doing: string, path: string): unknown => {
  const errno = errnoOf(error);
  return errno === undefined || errno === 'EPIPE' || error instanceof FileError
    ? error
    : new FileError(errno, `Cannot ${doing} ${path}: ${reasonOf(errno)}.`, { cause: error });
};

/** Awaits `work`, and converts its error with {@link toFileError}. */
export const naming = async <T>(doing: string, path: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw toFileError(error, doing, path);
  }
};

/** The message for an error of the system without a path. */
export const sentenceOfErrno = (errno: string): string => `A file or device failed: ${reasonOf(errno)} (${errno}).`;

/** Returns the result of `ask`, or `undefined` if the file is missing. */
export const ifThere = async <T>(ask: Promise<T>): Promise<T | undefined> => {
  try {
    return await ask;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
      throw error;
    }
    return undefined;
  }
};
