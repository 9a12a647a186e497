/** Failures of the file system, as sentences that name the path that the person gave. */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file system takes no file of that size',
  EINVAL: 'the file system does not support it',
  EIO: 'the device failed',
  EISDIR: 'it is a folder, and a file is expected',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of its path is not a folder',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'nothing is at the other end of it',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

/** The errno of the system (`ENOENT`), if the error has one. */
export const errnoOf = (error: unknown): string | undefined => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
};

const reasonOf = (errno: string): string => REASONS[errno] ?? `the system reports ${errno}`;

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
 * A {@link FileError} that says `Cannot <doing> <path>`, for an error of the system. Any other error, and `EPIPE`,
 * which is how a reader says that it has enough, is returned as it is.
 */
export const toFileError = (error: unknown, doing: string, path: string): unknown => {
  const errno = errnoOf(error);
  return errno === undefined || errno === 'EPIPE' || error instanceof FileError
    ? error
    : new FileError(errno, `Cannot ${doing} ${path}: ${reasonOf(errno)}.`, { cause: error });
};

/** Awaits `work`, and gives its failure a sentence. */
export const naming = async <T>(doing: string, path: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw toFileError(error, doing, path);
  }
};

/** A sentence for an error of the system that reached the end of the command without one. It names no file. */
export const sentenceOfErrno = (errno: string): string => `A file or device failed: ${reasonOf(errno)} (${errno}).`;
