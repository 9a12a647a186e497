/**
 * Repositories in folders, for Node and Bun.
 *
 * @module
 */
import { openNodeBlobs } from './adapters/blobs/node-blobs.ts';
import { lockNodeFolder, nodeLockState, openNodeFiles, openNodeFilesReadOnly } from './adapters/files/node-files.ts';
import type { SavedBackup, SaveOptions } from './adapters/folders/backup.ts';
import type { FolderDatabase } from './adapters/folders/folder-database.ts';
import type {
  CreateOptions,
  FolderPlatform,
  ImportRepoOptions,
  OpenDatabaseOptions,
  OpenOptions,
  WasmOptions,
} from './adapters/folders/folder-repos.ts';
import * as folders from './adapters/folders/folder-repos.ts';
import { besideNode, nodeParent, nodePlace } from './adapters/folders/node-places.ts';
import { nodeHashAll } from './adapters/platform/node-hash.ts';
import { createNodeVerifySignature } from './adapters/platform/node-signatures.ts';
import { nodeSqliteWasm } from './adapters/platform/node-sqlite-wasm.ts';
import type { SalvageOptions, SalvageReport } from './adapters/salvage/salvage.ts';
import type { CarSource } from './core/car/source.ts';
import type { ImportedRepo } from './core/repo/transfer/imported-repo.ts';
import type { Repo } from './core/repo/repo.ts';
import type { BackupManifest, BackupOptions } from './core/repo/transfer/backup-manifest.ts';
import { createHashAll } from './wasm/hash/sha256.ts';

export type { WasmSource } from './adapters/platform/sqlite-wasm.ts';
export type { ImportedRepo } from './core/repo/transfer/imported-repo.ts';
export type {
  CreateOptions,
  ImportRepoOptions,
  OpenDatabaseOptions,
  OpenOptions,
  WasmOptions,
} from './adapters/folders/folder-repos.ts';
export type { SaveOptions, SavedBackup } from './adapters/folders/backup.ts';
export type { SalvageOptions, SalvageReport } from './adapters/salvage/salvage.ts';
export type { FolderDatabase } from './adapters/folders/folder-database.ts';
export type { KeyRange } from './adapters/sqlite/key-range.ts';
export type { KeyValueTableOptions } from './adapters/sqlite/key-value-table.ts';
export type { SqlDatabase, SqlStatement } from './adapters/sqlite/sql-database.ts';
export { KeyValueTable } from './adapters/sqlite/key-value-table.ts';

const platform: FolderPlatform = {
  wasm: nodeSqliteWasm,
  openFiles: openNodeFiles,
  openFilesReadOnly: openNodeFilesReadOnly,
  lockFolder: lockNodeFolder,
  lockStateOf: nodeLockState,
  openBlobs: openNodeBlobs,
  parent: nodeParent,
  place: nodePlace,
  beside: besideNode,
  /** One for all repositories of the process: what it works in takes memory. */
  hashAll: /* @__PURE__ */ createHashAll(nodeHashAll, 3),
  verifySignature: /* @__PURE__ */ createNodeVerifySignature(),
};

/**
 * Makes a repository in a folder, which is made as well if need be, and opens it. It has no commit yet.
 *
 * @example
 * ```ts
 * import { generateKey } from 'pdsdb';
 * import { createRepo } from 'pdsdb/node';
 *
 * await using repo = await createRepo('alice', { did: 'did:web:alice.example.com', signer: generateKey() });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `InvalidDid`; `RepoExists` when there is one; `Locked`; `StorageFull`, `StorageFailed`;
 *   `Unsupported`, as {@link openRepo}.
 * @throws {TypeError} when `cacheBytes` is not a whole number of bytes.
 */
export const createRepo = (directory: string, options: CreateOptions): Promise<Repo> =>
  folders.createRepo(platform, directory, options);

/**
 * Opens the repository in a folder. Its owner alone may have it open; after a crash it opens by itself. With `readOnly`
 * any number of readers may have it open while nobody writes.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 *
 * await using repo = await openRepo('alice');
 * for await (const { rkey, value } of repo.list('app.bsky.feed.post', { reverse: true, limit: 10 })) {
 *   console.log(rkey, value['text']);
 * }
 * ```
 * @throws {RepoError} `RepoNotFound`; `Locked` when another process, or this one, has it open; `UnknownVersion` when a
 *   newer version of this library wrote it; `Corrupt`; `StorageFull`, `StorageFailed`; `Unsupported` when the
 *   WebAssembly of SQLite is missing or cannot run here.
 * @throws {TypeError} when `cacheBytes` is not a whole number of bytes.
 */
export const openRepo = (directory: string, options: OpenOptions = {}): Promise<Repo> =>
  folders.openRepo(platform, directory, options);

/**
 * Opens the repository of an account in a folder, and makes it where there is none.
 *
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/node';
 *
 * await using repo = await openOrCreateRepo('alice', { did: 'did:web:alice.example.com' });
 * await repo.create('app.bsky.feed.post', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `WrongDid` when the repository is of another account; as {@link openRepo} and
 *   {@link createRepo} do.
 */
export const openOrCreateRepo = (directory: string, options: CreateOptions): Promise<Repo> =>
  folders.openOrCreateRepo(platform, directory, options);

/**
 * Makes a repository from a CAR, in a folder that is not there or is empty, and opens it. The CAR says which account it
 * is of; `did` and `key` of the options say which one it has to be. All is checked, as by `importCar`. If it rejects,
 * or the process ends, there is no repository.
 *
 * @example
 * ```ts
 * import { openAsBlob } from 'node:fs';
 * import { importRepo } from 'pdsdb/node';
 *
 * await using repo = await importRepo('alice', await openAsBlob('alice.car'));
 * console.log(repo.did, repo.imported.created);
 * ```
 * @throws {RepoError} `RepoExists` when the folder is not empty; as {@link Repo.importCar} and {@link openRepo} do;
 *   `LimitExceeded` when the commit of a stream is not among its first 64 MiB: a `Blob` has no such limit.
 */
export const importRepo = (directory: string, car: CarSource, options: ImportRepoOptions = {}): Promise<ImportedRepo> =>
  folders.importRepo(platform, directory, car, options);

/**
 * Writes a backup of an open repository into a folder: `pds.db`, the blobs and `manifest.json`. The repository can be
 * read and written meanwhile; the backup is as it was at the beginning. Durable once this resolves; if it rejects there
 * is no backup, and one that was there is there still.
 *
 * @example
 * ```ts
 * import { openRepo, saveBackup } from 'pdsdb/node';
 *
 * await using repo = await openRepo('alice');
 * const { manifest } = await saveBackup(repo, 'backups/alice', { force: true });
 * console.log(manifest.rev, manifest.files.size);
 * ```
 * @throws {RepoError} `RepoExists` when there is a backup and `force` is not given, and always when what is there is
 *   none; `Corrupt` when the repository is damaged, unless `damaged` allows it; as {@link Repo.backup} does.
 */
export const saveBackup = (
  repo: Repo,
  directory: string,
  options: BackupOptions & SaveOptions = {},
): Promise<SavedBackup> => folders.saveBackup(platform, repo, directory, options);

/**
 * Makes a repository out of a backup, in a folder that is not there or is empty; with `force` in place of the one that
 * is there. Each file is checked against the manifest before anything of it can be seen; if one is damaged, all is as
 * it was. Answers the manifest.
 * @throws {RepoError} `RepoNotFound` when there is no backup; `Malformed`, naming the file, when it is damaged;
 *   `RepoExists`; `Locked` when somebody has the repository open that is to be replaced; `UnknownVersion`;
 *   `StorageFull`, `StorageFailed`.
 */
export const restoreBackup = (
  backup: string,
  directory: string,
  options: SaveOptions & WasmOptions = {},
): Promise<BackupManifest> => folders.restoreBackup(platform, backup, directory, options);

/**
 * Reads what can be read of a database that SQLite finds damaged, page by page, into a new one that takes its place;
 * the damaged one is kept beside it, as `pds.db.damaged-<time>`. `openRepo` and `repair` come next.
 * @throws {RepoError} `Corrupt` when nothing says whose repository it was; `RepoNotFound`, `Locked`, `StorageFull`,
 *   `StorageFailed`. The damaged database is as it was then, or is in its place with a copy of it and of its log.
 */
export const salvageRepo = (directory: string, options: SalvageOptions & WasmOptions = {}): Promise<SalvageReport> =>
  folders.salvageRepo(platform, directory, options);

/**
 * Opens `pds.db` in a folder as a database of your own, without a repository in it: the same SQLite, lock and
 * durability. What you put there is up to you; {@link KeyValueTable} is one way. One that nothing was committed to
 * counts as not there.
 *
 * @example
 * ```ts
 * import { KeyValueTable, openDatabase } from 'pdsdb/node';
 *
 * await using database = await openDatabase('drafts', { create: true });
 * const drafts = new KeyValueTable(database, 'drafts');
 * drafts.create();
 * database.transaction(() => drafts.put('first', new TextEncoder().encode('Dear all')));
 * console.log(drafts.count());
 * ```
 * @throws {RepoError} `RepoNotFound` when there is none; with `create`, `RepoExists` when there is one; `Locked`;
 *   `Corrupt` when it is no database; `StorageFull`, `StorageFailed`.
 */
export const openDatabase = (directory: string, options: OpenDatabaseOptions = {}): Promise<FolderDatabase> =>
  folders.openDatabase(platform, directory, options);
