/**
 * Repositories in folders: what the entry points for Node, Bun and Deno share. Each function takes the platform first.
 * They are functions of the module, and not of an object, so that a bundler leaves out the ones that nobody calls.
 */
import type { VerifySignature } from '../../core/crypto/keys.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { HashAll } from '../../core/data/sha256.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { openOrCreate } from '../../core/repo/open-or-create.ts';
import type { ImportOptions } from '../../core/repo/long-work.ts';
import type { CarSource } from '../../core/car/source.ts';
import type { ImportedRepo } from '../../core/repo/transfer/imported-repo.ts';
import { importedRepo } from '../../core/repo/transfer/imported-repo.ts';
import type { BackupManifest, BackupOptions } from '../../core/repo/transfer/backup-manifest.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { assertDid } from '../../core/syntax/identifiers.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import type { WasmSource } from '../platform/sqlite-wasm.ts';
import { salvageFolder } from '../salvage/salvage-folder.ts';
import type { SalvageOptions, SalvageReport } from '../salvage/salvage.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';
import { sqliteRepo, sqliteRepoReadOnly } from '../sqlite/open-repo.ts';
import type { SavedBackup, SaveOptions } from './backup.ts';
import { writeBackup } from './backup.ts';
import type { FolderDatabase } from './folder-database.ts';
import { importFolderRepo } from './import-repo.ts';
import { openFolderDatabase } from './folder-database.ts';
import type { SiblingLocks } from './leftovers.ts';
import type { ParentFolder, Place } from './place.ts';
import { restoreFolder } from './restore.ts';

export interface WasmOptions {
  /**
   * The file `pdsdb/sql-wasm.wasm`, for a program that was bundled: its bytes, path or URL, or the compiled module.
   * SQLite is loaded once a process, from the first one. The default is the file of the package.
   */
  readonly wasm?: WasmSource | undefined;
}

export interface RepoOptions extends WasmOptions {
  /** Signs the commits that are made here. Without one they are not signed. */
  readonly signer?: Signer | undefined;
  /**
   * Checks each record that is written here, by its collection and its JSON form, before anything is stored. What it
   * throws is what the write rejects with.
   */
  readonly validate?: Validate | undefined;
  /** How long to wait for another owner to let go, in milliseconds. Not at all when left out. */
  readonly waitMs?: number | undefined;
  /**
   * Bytes that the caches of all repositories of this process may take together; 64 MiB by default. The last value
   * given applies to all.
   */
  readonly cacheBytes?: number | undefined;
}

export interface OpenOptions extends RepoOptions {
  /**
   * Opens the repository for reading: takes no lock and writes nothing, also in a folder where nothing can be written.
   * Whatever writes rejects with `ReadOnly`, and `onChange` calls nobody. While another owner has the repository open
   * to write, opening and every read reject with `Locked`, at once or after `waitMs`.
   */
  readonly readOnly?: boolean | undefined;
}

export interface OpenDatabaseOptions extends WasmOptions {
  /** Makes the database, and the folder if need be. When left out, it has to be there. */
  readonly create?: boolean | undefined;
  /** As for a repository. */
  readonly waitMs?: number | undefined;
}

export interface CreateOptions extends RepoOptions {
  /** The account that the repository is of. */
  readonly did: string;
}

/** How to open the repository, and how to import. */
export interface ImportRepoOptions extends RepoOptions, ImportOptions {}

/** What a platform with folders gives. Paths are as the user wrote them. */
export interface FolderPlatform {
  /** Returns the compiled WebAssembly of sql.js. */
  wasm(source: WasmSource | undefined): Promise<WebAssembly.Module>;
  /** Opens the files of the database in a folder and takes their lock. */
  openFiles(
    directory: string,
    options?: { readonly create?: boolean | undefined; readonly waitMs?: number | undefined },
  ): Promise<DatabaseFiles>;
  /** Opens the files of the database in a folder for reading, without a lock. */
  openFilesReadOnly(directory: string, options?: { readonly waitMs?: number | undefined }): Promise<ReadOnlyFiles>;
  /** Opens the blobs in a folder whose lock is held, or for reading alone. */
  openBlobs(directory: string, options?: { readonly readOnly?: boolean | undefined }): Promise<BlobStore>;
  /** Takes the lock of a folder, which need not have a database. */
  lockFolder(directory: string): Promise<{ release(): void }>;
  /** Whether a folder has a lock: see {@link SiblingLocks}. */
  lockStateOf(directory: string): 'free' | 'held' | 'stale';
  /** The folder, for calls on what it contains. */
  parent(directory: string): ParentFolder;
  /** The folder, which may be missing, in the one that contains it. */
  place(directory: string): Place;
  /** Returns the path of a folder `name` in the folder that contains `directory`. */
  beside(directory: string, name: string): string;
  /** See {@link RepoPlatform}. */
  readonly hashAll?: HashAll | undefined;
  /** See {@link RepoPlatform}. */
  readonly verifySignature?: VerifySignature | undefined;
}

const repoPlatform = (
  platform: FolderPlatform,
  directory: string,
  { wasm, waitMs, cacheBytes, readOnly }: OpenOptions,
  create: boolean,
): RepoPlatform => ({
  wasm: () => platform.wasm(wasm),
  hashAll: platform.hashAll,
  verifySignature: platform.verifySignature,
  cacheBytes,
  openFiles: () => platform.openFiles(directory, { create, waitMs }),
  openBlobs: () => platform.openBlobs(directory, { readOnly }),
});

/** Creates a repository in a folder and opens it. */
export const createRepo = async (
  platform: FolderPlatform,
  directory: string,
  { did, ...options }: CreateOptions,
): Promise<Repo> => {
  assertDid(did);
  return sqliteRepo(repoPlatform(platform, directory, options, true), {
    did,
    signer: options.signer,
    validate: options.validate,
  });
};

/** Opens the repository in a folder. */
export const openRepo = (platform: FolderPlatform, directory: string, options: OpenOptions): Promise<Repo> => {
  const repo = repoPlatform(platform, directory, options, false);
  return options.readOnly === true
    ? sqliteRepoReadOnly(repo, () => platform.openFilesReadOnly(directory, { waitMs: options.waitMs }))
    : sqliteRepo(repo, { signer: options.signer, validate: options.validate });
};

/** Opens the repository in a folder, and creates it where there is none. */
export const openOrCreateRepo = (
  platform: FolderPlatform,
  directory: string,
  { did, ...options }: CreateOptions,
): Promise<Repo> =>
  openOrCreate(
    did,
    () => openRepo(platform, directory, options),
    () => createRepo(platform, directory, { did, ...options }),
  );

/** Makes a repository from a CAR in a folder, and opens it. */
export const importRepo = async (
  platform: FolderPlatform,
  directory: string,
  car: CarSource,
  options: ImportRepoOptions,
): Promise<ImportedRepo> => {
  const imported = await importFolderRepo(
    platform.place(directory),
    (name) => repoPlatform(platform, platform.beside(directory, name), options, true),
    siblingLocks(platform, directory),
    car,
    options,
  );
  return importedRepo(await openRepo(platform, directory, options), imported);
};

/** Writes a backup of an open repository into a folder. */
export const saveBackup = (
  platform: FolderPlatform,
  repo: Repo,
  directory: string,
  { force, ...options }: BackupOptions & SaveOptions,
): Promise<SavedBackup> =>
  writeBackup(platform.place(directory), repo.backup(options), { force }, siblingLocks(platform, directory));

const siblingLocks = (platform: FolderPlatform, directory: string): SiblingLocks => ({
  hold: (name) => platform.lockFolder(platform.beside(directory, name)),
  stateOf: (name) => platform.lockStateOf(platform.beside(directory, name)),
});

/** Creates a repository from a backup, or replaces one with `force`. Returns the manifest of the backup. */
export const restoreBackup = (
  platform: FolderPlatform,
  backup: string,
  directory: string,
  options: SaveOptions & WasmOptions,
): Promise<BackupManifest> =>
  restoreFolder(
    platform.place(backup),
    platform.place(directory),
    {
      create: (name) => repoPlatform(platform, platform.beside(directory, name), options, true),
      openFiles: () => platform.openFiles(directory),
      locks: siblingLocks(platform, directory),
    },
    options,
  );

/** Replaces a damaged database with a new one, which has everything that can be read of it. */
export const salvageRepo = (
  platform: FolderPlatform,
  directory: string,
  options: SalvageOptions & WasmOptions,
): Promise<SalvageReport> =>
  salvageFolder(
    {
      wasm: () => platform.wasm(options.wasm),
      folder: platform.parent(directory),
      openFiles: () => platform.openFiles(directory),
      createFiles: (name) => platform.openFiles(`${directory}/${name}`, { create: true }),
    },
    options,
  );

/** Opens the database in a folder, without a repository in it. */
export const openDatabase = async (
  platform: FolderPlatform,
  directory: string,
  options: OpenDatabaseOptions,
): Promise<FolderDatabase> =>
  openFolderDatabase(await platform.wasm(options.wasm), () => platform.openFiles(directory, options));
