/** The origin private file system, as far as a repository needs it. https://fs.spec.whatwg.org/ */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import { RELEASE_MS, retryFor } from './timeout.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** `FileSystemSyncAccessHandle`, which the compiler knows in workers alone. */
export interface SyncHandle extends SyncFile {
  close(): void;
}

/** What file handles have in some places only: sync handles in dedicated workers, `move` not in every browser. */
interface SomeFileHandle {
  createSyncAccessHandle?(): Promise<SyncHandle>;
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** The top folder of this origin. @throws {RepoError} `StorageFailed` where there is none. */
export const opfsRoot = async (): Promise<FileSystemDirectoryHandle> => {
  try {
    return await navigator.storage.getDirectory();
  } catch (cause) {
    // Private windows of Firefox throw SecurityError; where there is no OPFS, or no secure context, this is a
    // TypeError.
    throw new RepoError('StorageFailed', 'this browser keeps no files for this page', { cause });
  }
};

/** What is said where a page has no files, and has none kept either: there is no such interface, or no permission. */
const NO_FILES = ['NotSupportedError', 'SecurityError', 'TypeError'];

/**
 * What private windows of Safari say, which have no files. WebKit also says it when it is short of something for a
 * moment, and then asking again helps.
 */
const MAYBE_NO_FILES = 'UnknownError';
const MAYBE_MS = 1_000;

/**
 * The top folder of this origin, or `undefined` where a page can have no files, so that none are kept there.
 * @throws {RepoError} `StorageFailed` when there may be some, and they cannot be looked at now.
 */
export const opfsRootIfAny = async (): Promise<FileSystemDirectoryHandle | undefined> => {
  const found = await retryFor(MAYBE_MS, async () => {
    try {
      return { root: await opfsRoot() };
    } catch (error) {
      const reason = isRepoError(error) ? (errorName(error.cause) ?? '') : '';
      if (reason === MAYBE_NO_FILES) {
        return undefined;
      }
      if (NO_FILES.includes(reason)) {
        return { root: undefined };
      }
      throw error;
    }
  });
  return found?.root;
};

/** The folder of this name, or `undefined`. */
export const folderIn = (
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemDirectoryHandle | undefined> => orNothing(folder.getDirectoryHandle(name));

/** The file of this name, or `undefined`. */
export const fileIn = (folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle | undefined> =>
  orNothing(folder.getFileHandle(name));

/** Removes what has this name, a folder with all that is in it; what is not there is no error. */
export const removeFrom = async (folder: FileSystemDirectoryHandle, name: string): Promise<void> => {
  await orNothing(folder.removeEntry(name, { recursive: true }));
};

const orNothing = async <T>(found: Promise<T>): Promise<T | undefined> => {
  try {
    return await found;
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
};

/**
 * Runs `work`, again and again while somebody has the file open: a page that is gone has it for a moment longer, and so
 * has the browser itself a file that it is moving.
 * @throws {RepoError} `Locked` when that takes longer than `waitMs`.
 */
export const whenFree = async <T>(name: string, waitMs: number, work: () => Promise<T>): Promise<T> => {
  let cause: unknown;
  const done = await retryFor(waitMs, async () => {
    try {
      return { answer: await work() };
    } catch (error) {
      if (errorName(error) === 'NoModificationAllowedError') {
        cause = error;
        return undefined;
      }
      throw error;
    }
  });
  if (done === undefined) {
    throw new RepoError('Locked', `another tab or worker has it open; name=${name}`, { cause });
  }
  return done.answer;
};

/**
 * The sync handle of a file, which nobody else can have until it is closed.
 * @throws {RepoError} `Locked` when somebody has it for longer than `waitMs`; `StorageFailed` outside a dedicated
 *   worker.
 */
export const openSyncHandle = (file: FileSystemFileHandle, waitMs: number): Promise<SyncHandle> =>
  whenFree(file.name, waitMs, async () => {
    const some = file as SomeFileHandle;
    if (some.createSyncAccessHandle === undefined) {
      throw new RepoError('StorageFailed', 'files are opened in a dedicated worker alone');
    }
    return some.createSyncAccessHandle();
  });

/** Gives a file another name, in place of what has it. `false` where the browser cannot. */
export const moveFile = async (
  file: FileSystemFileHandle,
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<boolean> => {
  const some = file as SomeFileHandle;
  if (some.move === undefined) {
    return false;
  }
  // Chromium refuses a name to which another file is being moved.
  await whenFree(name, RELEASE_MS, async () => some.move?.(folder, name));
  return true;
};

/**
 * Whether files can be kept here: tried out by keeping one, because browsers differ in what they have, where they
 * have it (sync handles in dedicated workers alone) and whether it works (not in private windows of Firefox).
 */
export const hasOpfs = async (): Promise<boolean> => {
  // Not `crypto.randomUUID`, which insecure contexts have not.
  const name = `.pdsdb-${Math.random().toString(36).slice(2)}`;
  try {
    const root = await opfsRoot();
    try {
      const handle = await openSyncHandle(await root.getFileHandle(name, { create: true }), 0);
      try {
        handle.write(new Uint8Array(1), { at: 0 });
        handle.flush();
      } finally {
        handle.close();
      }
    } finally {
      await removeFrom(root, name);
    }
    return true;
  } catch (error) {
    // A full disk is no missing one: what is kept there can be read.
    return toStorageError(error, 'keeping a file').code === 'StorageFull';
  }
};
