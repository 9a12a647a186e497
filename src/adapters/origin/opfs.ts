/** Calls of the origin private file system (OPFS). https://fs.spec.whatwg.org/ */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import { RELEASE_MS, retryFor } from './timeout.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** `FileSystemSyncAccessHandle`, whose type TypeScript has only for workers. */
export interface SyncHandle extends SyncFile {
  close(): void;
}

/** Optional methods of a file handle: sync handles only in dedicated workers, `move` not in every browser. */
interface SomeFileHandle {
  createSyncAccessHandle?(): Promise<SyncHandle>;
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** Returns the root folder of this origin. @throws {RepoError} `StorageFailed` if the browser has no OPFS. */
export const opfsRoot = async (): Promise<FileSystemDirectoryHandle> => {
  try {
    return await navigator.storage.getDirectory();
  } catch (cause) {
    // SecurityError in private windows of Firefox; TypeError without OPFS or a secure context.
    throw new RepoError('StorageFailed', "the browser does not allow OPFS for this page: use storage 'indexeddb'", {
      cause,
    });
  }
};

/** The names of errors that mean that the page has no OPFS, and never had: no interface, or no permission. */
const NO_FILES = ['NotSupportedError', 'SecurityError', 'TypeError'];

/**
 * The error in private windows of Safari, which have no OPFS. WebKit also throws it for a moment when a resource is
 * short, and a retry then succeeds.
 */
const MAYBE_NO_FILES = 'UnknownError';
const MAYBE_MS = 1_000;

/**
 * Returns the root folder of this origin, or `undefined` if the page has no OPFS.
 * @throws {RepoError} `StorageFailed` if OPFS may have files but cannot be read now.
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

/** Returns the folder of this name, or `undefined`. */
export const folderIn = (
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemDirectoryHandle | undefined> => orNothing(folder.getDirectoryHandle(name));

/** Returns the file of this name, or `undefined`. */
export const fileIn = (folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle | undefined> =>
  orNothing(folder.getFileHandle(name));

/** Removes a file, or a folder with its content. Does nothing if it is missing. */
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
 * Runs `work`, and retries while the file is open elsewhere. A closed page keeps a file open for a moment, and so does
 * the browser while it moves a file.
 * @throws {RepoError} `Locked` if the file is still open after `waitMs` milliseconds.
 */
export const whenFree = async <T>(name: string, waitMs: number, work: () => Promise<T>): Promise<T> => {
  let cause: unknown;
  const done = await retryFor(waitMs, async () => {
    try {
      return { result: await work() };
    } catch (error) {
      if (errorName(error) === 'NoModificationAllowedError') {
        cause = error;
        return undefined;
      }
      throw error;
    }
  });
  if (done === undefined) {
    throw new RepoError(
      'Locked',
      `another tab or worker has the file open: close it there, or try again; name=${name}`,
      {
        cause,
      },
    );
  }
  return done.result;
};

/**
 * Opens the sync handle of a file. A file has at most one at a time.
 * @throws {RepoError} `Locked` if another handle is open for longer than `waitMs`; `StorageFailed` outside a dedicated
 *   worker.
 */
export const openSyncHandle = (file: FileSystemFileHandle, waitMs: number): Promise<SyncHandle> =>
  whenFree(file.name, waitMs, async () => {
    const some = file as SomeFileHandle;
    if (some.createSyncAccessHandle === undefined) {
      throw new RepoError(
        'StorageFailed',
        `OPFS files open only in a dedicated worker: use a worker that calls serveRepos; name=${file.name}`,
      );
    }
    return some.createSyncAccessHandle();
  });

/** Renames a file and replaces an existing one. Returns `false` if the browser cannot. */
export const moveFile = async (
  file: FileSystemFileHandle,
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<boolean> => {
  const some = file as SomeFileHandle;
  if (some.move === undefined) {
    return false;
  }
  // Chromium rejects while another file is moved to the same name.
  await whenFree(name, RELEASE_MS, async () => some.move?.(folder, name));
  return true;
};

/**
 * Returns whether OPFS works here. Tests it with a file, because a browser may have the interface but no sync handles
 * (outside of dedicated workers) or no permission (private windows of Firefox).
 */
export const hasOpfs = async (): Promise<boolean> => {
  // Not `crypto.randomUUID`, which is missing in insecure contexts.
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
    // A full disk is not a missing one: existing repositories can be read.
    return toStorageError(error, 'writing a file').code === 'StorageFull';
  }
};
