/**
 * Repositories in folders: the code that the entry points for Node, Bun and Deno share. The first parameter is the
 * platform. These are functions and not methods, so that a bundler can remove unused ones.
 */
import type { VerifySignature } from '../../core/crypto/keys.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { SignBytes } from '../../core/crypto/signing-key.ts';
import type { CreateHash, HashAll } from '../../core/data/sha256.ts';
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
import type { SiblingLocks } from './orphaned-folders.ts';
import type { PackedFolder, PackOptions } from './pack.ts';
import { packFrom } from './pack.ts';
import type { ParentFolder, Place } from './place.ts';
import { restoreFolder } from './restore.ts';
import type { UnpackedRepo, UnpackOptions } from './unpack.ts';
import { unpackInto } from './unpack.ts';

export interface WasmOptions {
  /**
   * The file `pdsdb/sql-wasm.wasm`, for a bundled program: its bytes, path or URL, or the compiled module. Each process
   * loads SQLite once, from the first given value. Default: the file of the package.
   */
  readonly wasm?: WasmSource | undefined;
}

export interface RepoOptions extends WasmOptions {
  /** Signs new commits. Without one, commits are unsigned. */
  readonly signer?: Signer | undefined;
  /**
   * Checks each record before a write, with its collection and its JSON form. If it throws, the write rejects with that
   * error and stores nothing.
   */
  readonly validate?: Validate | undefined;
  /** Milliseconds to wait until another owner releases the lock. Default: 0. */
  readonly waitMs?: number | undefined;
  /**
   * The limit in bytes for the caches of all repositories of this process together. Default: 64 MiB. The last given
   * value applies to all.
   */
  readonly cacheBytes?: number | undefined;
  /**
   * The blobs of the repository, such as those of `openS3Blobs`. Pass them at every opening. The repository closes them
   * when it closes. Default: files in its folder.
   */
  readonly blobs?: BlobStore | undefined;
}

export interface OpenOptions extends RepoOptions {
  /**
   * Opens the repository for reading, without a lock. Writes nothing, so the folder may be read-only. Writes reject
   * with `ReadOnly`, and `onChange` never calls its listeners. While an owner has the repository open for writing,
   * opening and every read reject with `Locked`, at once or after `waitMs`.
   */
  readonly readOnly?: boolean | undefined;
}

export interface OpenDatabaseOptions extends WasmOptions {
  /** Creates the database and, if it is missing, the folder. Default: the database must exist. */
  readonly create?: boolean | undefined;
  /** Milliseconds to wait until another owner releases the lock. Default: 0. */
  readonly waitMs?: number | undefined;
}

export interface CreateOptions extends RepoOptions {
  /** The DID of the account. */
  readonly did: string;
}

/** Options to open the repository and to import the CAR. */
export interface ImportRepoOptions extends RepoOptions, ImportOptions {}

/** What a platform with folders provides. Paths are as the user wrote them. */
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
  /** Opens the blobs in a folder whose lock is held, or for reading only. */
  openBlobs(
    directory: string,
    options?: { readonly readOnly?: boolean | undefined; readonly createHash?: CreateHash | undefined },
  ): Promise<BlobStore>;
  /** Takes the lock of a folder, with or without a database. */
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
  readonly createHash?: CreateHash | undefined;
  /** See {@link RepoPlatform}. */
  readonly verifySignature?: VerifySignature | undefined;
  /** See {@link RepoPlatform}. */
  readonly signBytes?: SignBytes | undefined;
}

const repoPlatform = (
  platform: FolderPlatform,
  directory: string,
  { wasm, waitMs, cacheBytes, readOnly, blobs }: OpenOptions,
  create: boolean,
): RepoPlatform => ({
  wasm: () => platform.wasm(wasm),
  hashAll: platform.hashAll,
  createHash: platform.createHash,
  verifySignature: platform.verifySignature,
  signBytes: platform.signBytes,
  cacheBytes,
  openFiles: () => platform.openFiles(directory, { create, waitMs }),
  openBlobs: async () => blobs ?? platform.openBlobs(directory, { readOnly, createHash: platform.createHash }),
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

/** Opens the repository in a folder, or creates it. */
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

/** Creates a repository from a CAR in a folder, and opens it. */
export const importRepo = async (
  platform: FolderPlatform,
  directory: string,
  car: CarSource,
  options: ImportRepoOptions,
): Promise<ImportedRepo> => {
  const imported = await importFolderRepo(
    platform.place(directory),
    // A CAR has no blobs, and the repository that is imported first closes its own.
    (name) => repoPlatform(platform, platform.beside(directory, name), { ...options, blobs: undefined }, true),
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

/** Writes the records of an open repository as files into a new folder. */
export const unpackRepo = (
  platform: FolderPlatform,
  repo: Repo,
  directory: string,
  options: UnpackOptions,
): Promise<UnpackedRepo> => unpackInto(platform.place(directory), repo, options, siblingLocks(platform, directory));

/** Makes a CAR of an unpacked folder. */
export const packFolder = (platform: FolderPlatform, directory: string, options: PackOptions): Promise<PackedFolder> =>
  packFrom(platform.place(directory), options);

/** Replaces a damaged database with a new one, which has every readable row. */
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
