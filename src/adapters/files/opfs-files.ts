/**
 * The files of a database in the origin private file system: `<name>/pds.db` and its journals. For dedicated workers,
 * because only they have sync handles.
 *
 * A sync handle implements `SyncFile`. It is also the lock, because a file has only one at a time.
 */
import { RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { fileIn, folderIn, openSyncHandle, opfsRoot, opfsRootIfAny, removeFrom, whenFree } from '../origin/opfs.ts';
import type { SyncHandle } from '../origin/opfs.ts';
import { RELEASE_MS } from '../origin/timeout.ts';
import type { WaitOptions } from '../origin/timeout.ts';
import { assertRepoName, isRepoName } from '../origin/repo-name.ts';
import { FILE_NAMES, JOURNAL_NAME, MAIN_NAME, WAL_NAME } from '../../core/storage/layout.ts';

export interface OpenOpfsOptions extends WaitOptions {
  /** Creates the folder and the files, and refuses an existing database. Default: they must exist. */
  readonly create?: boolean | undefined;
}

/** One of the three files, open. */
interface OpenFile {
  readonly name: string;
  readonly handle: SyncHandle;
  readonly isNew: boolean;
}

/**
 * Opens the files of a repository, and locks them until `close`.
 * @throws {RepoError} `RepoNotFound`, `RepoExists` (with `create`), `Locked`, `StorageFull`, `StorageFailed`. Nothing
 *   stays open then, and new files are removed.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const openOpfsFiles = async (name: string, options: OpenOpfsOptions = {}): Promise<DatabaseFiles> => {
  assertRepoName(name);
  const { create = false, waitMs = RELEASE_MS } = options;
  try {
    const folder = await repoFolder(name, create);
    return new OpfsFiles(name, folder, await openFiles(folder, name, create, waitMs));
  } catch (error) {
    throw toStorageError(error, `opening ${name}`);
  }
};

const repoFolder = async (name: string, create: boolean): Promise<FileSystemDirectoryHandle> => {
  const root = await opfsRoot();
  const folder = create ? await root.getDirectoryHandle(name, { create }) : await folderIn(root, name);
  return folder ?? notFound(name);
};

const notFound = (name: string): never => {
  throw new RepoError(
    'RepoNotFound',
    `the repository is missing: check the name, or create it with createRepo; name=${name}`,
  );
};

const openFiles = async (
  folder: FileSystemDirectoryHandle,
  name: string,
  create: boolean,
  waitMs: number,
): Promise<OpenFile[]> => {
  const opened: OpenFile[] = [];
  const open = async (fileName: string): Promise<SyncHandle> => {
    const isNew = (await fileIn(folder, fileName)) === undefined;
    const handle = await openSyncHandle(await folder.getFileHandle(fileName, { create: true }), waitMs);
    opened.push({ name: fileName, handle, isNew });
    return handle;
  };
  try {
    if (!create && (await fileIn(folder, MAIN_NAME)) === undefined) {
      notFound(name);
    }
    // The first file is the lock of all three.
    const main = await open(MAIN_NAME);
    await open(JOURNAL_NAME);
    const wal = await open(WAL_NAME);
    // An empty database without a WAL comes from an interrupted creation.
    const hasContent = main.getSize() > 0 || wal.getSize() > 0;
    if (create && hasContent) {
      throw new RepoError(
        'RepoExists',
        `the repository already exists: open it with openRepo, or choose another name; name=${name}`,
      );
    }
    if (!create && !hasContent) {
      notFound(name);
    }
    return opened;
  } catch (error) {
    await abandon(folder, opened);
    throw error;
  }
};

/** Undoes an open that failed. */
const abandon = async (folder: FileSystemDirectoryHandle, opened: readonly OpenFile[]): Promise<void> => {
  for (const { handle } of opened) {
    handle.close();
  }
  for (const { name, isNew } of opened) {
    try {
      if (isNew) {
        await removeFrom(folder, name);
      }
    } catch {
      // The first error is reported. An empty file that stays counts as missing.
    }
  }
};

class OpfsFiles implements DatabaseFiles {
  readonly durableOn = 'flush';
  readonly main: SyncHandle;
  readonly journal: SyncHandle;
  readonly wal: SyncHandle;
  readonly #name: string;
  readonly #folder: FileSystemDirectoryHandle;
  #closing: Promise<void> | undefined;

  constructor(name: string, folder: FileSystemDirectoryHandle, opened: readonly OpenFile[]) {
    const [main, journal, wal] = opened.map(({ handle }) => handle) as [SyncHandle, SyncHandle, SyncHandle];
    this.#name = name;
    this.#folder = folder;
    this.main = main;
    this.journal = journal;
    this.wal = wal;
  }

  async persist(): Promise<void> {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the files are closed: open the repository again; name=${this.#name}`);
    }
    // A browser may clear site data while files are open. Later writes then succeed, but are lost.
    if ((await fileIn(this.#folder, MAIN_NAME)) === undefined) {
      throw new RepoError(
        'StorageFailed',
        `the browser has cleared the data of this site: create the repository again with createRepo; name=${this.#name}`,
      );
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const isEmpty = (file: SyncHandle): boolean => file.getSize() === 0;
    const errors: unknown[] = [];
    const empty: string[] = [];
    const steps: (() => unknown)[] = [
      () => isEmpty(this.journal) && empty.push(JOURNAL_NAME),
      () => isEmpty(this.wal) && empty.push(WAL_NAME),
      () => this.wal.close(),
      () => this.journal.close(),
      // An open file cannot be removed. The main file is the lock, so it is closed last.
      () => Promise.all(empty.map((name) => removeFrom(this.#folder, name))),
      () => this.main.close(),
    ];
    // Every step runs, also after an error, so that no handle is left.
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw toStorageError(errors[0], `closing ${this.#name}`);
    }
  }
}

/**
 * Returns whether OPFS has this repository, even if it cannot be opened. Returns `false` if the browser has no OPFS.
 * Also works on a page.
 * @throws {RepoError} `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const hasOpfsRepo = async (name: string): Promise<boolean> => {
  assertRepoName(name);
  const root = await opfsRootIfAny();
  try {
    const folder = root && (await folderIn(root, name));
    return folder !== undefined && (await hasContent(folder));
  } catch (error) {
    throw toStorageError(error, `looking for ${name}`);
  }
};

/**
 * Returns the sorted names of the repositories in OPFS. Returns `[]` if the browser has no OPFS. Also works on a page.
 */
export const listOpfsRepos = async (): Promise<string[]> => {
  const names: string[] = [];
  const root = await opfsRootIfAny();
  try {
    for await (const [name, entry] of root?.entries() ?? []) {
      if (isRepoName(name) && entry.kind === 'directory' && (await hasContent(entry))) {
        names.push(name);
      }
    }
  } catch (error) {
    throw toStorageError(error, 'listing the repositories');
  }
  return names.sort();
};

const hasContent = async (folder: FileSystemDirectoryHandle): Promise<boolean> => {
  const main = await fileIn(folder, MAIN_NAME);
  if (main === undefined) {
    return false;
  }
  const wal = await fileIn(folder, WAL_NAME);
  const sizes = await Promise.all([main, wal].map(async (file) => (await file?.getFile())?.size ?? 0));
  return sizes.some((size) => size > 0);
};

/**
 * Deletes a repository with its blobs. Does nothing if it is missing. For dedicated workers.
 * @throws {RepoError} `Locked` if it is open; `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const deleteOpfsRepo = async (name: string, { waitMs = RELEASE_MS }: WaitOptions = {}): Promise<void> => {
  assertRepoName(name);
  try {
    const root = await opfsRoot();
    const folder = await folderIn(root, name);
    if (folder !== undefined) {
      await empty(folder, waitMs);
      await whenFree(name, waitMs, () => removeFrom(root, name));
    }
  } catch (error) {
    throw toStorageError(error, `deleting ${name}`);
  }
};

/**
 * Empties the database first. A crash during the deletion then leaves an empty file, which counts as missing.
 */
const empty = async (folder: FileSystemDirectoryHandle, waitMs: number): Promise<void> => {
  const main = await fileIn(folder, MAIN_NAME);
  if (main === undefined) {
    return;
  }
  const handle = await openSyncHandle(main, waitMs);
  try {
    // The WAL first: a WAL without its database must not stay.
    for (const name of FILE_NAMES.filter((other) => other !== MAIN_NAME)) {
      await removeFrom(folder, name);
    }
    handle.truncate(0);
    handle.flush();
  } finally {
    handle.close();
  }
};
