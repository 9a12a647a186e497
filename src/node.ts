/**
 * Repositories in folders, for Node and Bun.
 *
 * @module
 */
import { openNodeBlobs } from './adapters/blobs/node-blobs.ts';
import {
  lockNodeFolder,
  nodeDisk,
  nodeLockState,
  openNodeFiles,
  openNodeFilesReadOnly,
} from './adapters/files/node-files.ts';
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
import type { PackedFolder, PackOptions } from './adapters/folders/pack.ts';
import type { UnpackedRepo, UnpackOptions } from './adapters/folders/unpack.ts';
import * as folders from './adapters/folders/folder-repos.ts';
import { besideNode, nodeParent, nodePlace } from './adapters/folders/node-places.ts';
import type { PdsAccount } from './adapters/pds/pds-account.ts';
import { openPdsAccount as openPdsAccountOver } from './adapters/pds/pds-account.ts';
import { openPdsFiles } from './adapters/pds/pds-files.ts';
import { nativeHashStream } from './adapters/platform/native-hash-stream.ts';
import { nodeHashAll } from './adapters/platform/node-hash.ts';
import { nodeFastVerify, nodeSignBytes } from './adapters/platform/node-secp256k1.ts';
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
export type { PackedFolder, PackOptions } from './adapters/folders/pack.ts';
export type { UnpackedRepo, UnpackOptions } from './adapters/folders/unpack.ts';
export type { PdsAccount, PdsBlob } from './adapters/pds/pds-account.ts';
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
  /** One for all repositories of the process, because each has its own WebAssembly memory. */
  hashAll: /* @__PURE__ */ createHashAll(nodeHashAll, 3),
  createHash: nativeHashStream,
  verifySignature: /* @__PURE__ */ createNodeVerifySignature(nodeFastVerify),
  signBytes: nodeSignBytes,
};

/**
 * Creates a repository without commits and opens it. Creates the folder if it is missing.
 *
 * @example
 * ```ts
 * import { generateKey } from 'pdsdb';
 * import { createRepo } from 'pdsdb/node';
 *
 * await using repo = await createRepo('alice', { did: 'did:web:alice.example.com', signer: generateKey() });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `InvalidDid`; `RepoExists` if the folder has a repository; `Locked`; `StorageFull`,
 *   `StorageFailed`; `Unsupported`, as {@link openRepo}.
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer.
 */
export const createRepo = (directory: string, options: CreateOptions): Promise<Repo> =>
  folders.createRepo(platform, directory, options);

/**
 * Opens the repository in a folder and locks it: it has one owner at a time. Recovers from a crash. With `readOnly` it
 * takes no lock, so any number of readers can have the repository open while no owner has it.
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
 * @throws {RepoError} `RepoNotFound`; `Locked` if this or another process has it open; `UnknownVersion` if a newer
 *   version of this library wrote it; `Corrupt`; `StorageFull`, `StorageFailed`; `Unsupported` if the WebAssembly of
 *   SQLite is missing or cannot run here.
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer.
 */
export const openRepo = (directory: string, options: OpenOptions = {}): Promise<Repo> =>
  folders.openRepo(platform, directory, options);

/**
 * Opens the repository of an account in a folder. Creates it if the folder has none.
 *
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/node';
 *
 * await using repo = await openOrCreateRepo('alice', { did: 'did:web:alice.example.com' });
 * await repo.create('app.bsky.feed.post', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `WrongDid` if the repository belongs to another account; the codes of {@link openRepo} and
 *   {@link createRepo}.
 */
export const openOrCreateRepo = (directory: string, options: CreateOptions): Promise<Repo> =>
  folders.openOrCreateRepo(platform, directory, options);

/**
 * Creates a repository from a CAR, in a missing or empty folder, and opens it. The commit of the CAR names the account;
 * `did` and `key` of the options require a certain one. Everything is checked, as in {@link Repo.importCar}. If the
 * import rejects, or the process ends meanwhile, no repository is left.
 *
 * @example
 * ```ts
 * import { openAsBlob } from 'node:fs';
 * import { importRepo } from 'pdsdb/node';
 *
 * await using repo = await importRepo('alice', await openAsBlob('alice.car'));
 * console.log(repo.did, repo.imported.created);
 * ```
 * @throws {RepoError} `RepoExists` if the folder is not empty; `LimitExceeded` if the commit of a stream is not in its
 *   first 64 MiB (a `Blob` has no such limit); the codes of {@link Repo.importCar} and {@link openRepo}.
 */
export const importRepo = (directory: string, car: CarSource, options: ImportRepoOptions = {}): Promise<ImportedRepo> =>
  folders.importRepo(platform, directory, car, options);

/**
 * Writes a backup of an open repository into a folder: `pds.db`, the blobs and `manifest.json`. Resolves when the
 * backup is durable. Reads and writes continue meanwhile; the backup has the state at the call. If this rejects, an
 * earlier backup in the folder is unchanged.
 *
 * @example
 * ```ts
 * import { openRepo, saveBackup } from 'pdsdb/node';
 *
 * await using repo = await openRepo('alice');
 * const { manifest } = await saveBackup(repo, 'backups/alice', { force: true });
 * console.log(manifest.rev, manifest.files.size);
 * ```
 * @throws {RepoError} `RepoExists` if the folder has a backup and `force` is not set, or if it has anything else;
 *   `Corrupt` if the repository is damaged and `damaged` is not set; the codes of {@link Repo.backup}.
 */
export const saveBackup = (
  repo: Repo,
  directory: string,
  options: BackupOptions & SaveOptions = {},
): Promise<SavedBackup> => folders.saveBackup(platform, repo, directory, options);

/**
 * Creates a repository from a backup, in a missing or empty folder. With `force` it replaces the repository in the
 * folder. Every file is checked against the manifest first. If this rejects, the folder is unchanged. Returns the
 * manifest.
 *
 * @example
 * ```ts
 * import { restoreBackup } from 'pdsdb/node';
 *
 * const { did, rev } = await restoreBackup('backups/alice', 'alice-restored');
 * console.log(did, rev);
 * ```
 * @throws {RepoError} `RepoNotFound` if `backup` has no backup; `Malformed` if a file is damaged (the message names
 *   it); `RepoExists`; `Locked` if the repository to replace is open; `UnknownVersion`; `StorageFull`, `StorageFailed`.
 */
export const restoreBackup = (
  backup: string,
  directory: string,
  options: SaveOptions & WasmOptions = {},
): Promise<BackupManifest> => folders.restoreBackup(platform, backup, directory, options);

/**
 * Writes the records of an open repository as files into a new or empty folder: `_commit.json`, and
 * `<collection>/<rkey>.json` in the JSON form of the data model, as `goat repo unpack` does. A record that has no exact
 * JSON form is a `.cbor` file with its stored bytes. If this rejects, no folder is left. The files are not synced one
 * by one: after a power cut, unpack again. See {@link packFolder} for the way back.
 *
 * @example
 * ```ts
 * import { openRepo, unpackRepo } from 'pdsdb/node';
 *
 * await using repo = await openRepo('alice', { readOnly: true });
 * const { records } = await unpackRepo(repo, 'alice-files');
 * console.log(records);
 * ```
 * @throws {RepoError} `RepoExists` if the folder is not empty; `HeadNotFound` before the first commit; `RefNotFound`;
 *   `BlockNotFound`, `Corrupt` if a record is missing or damaged; `StorageFull`, `StorageFailed`.
 */
export const unpackRepo = (repo: Repo, directory: string, options: UnpackOptions = {}): Promise<UnpackedRepo> =>
  folders.unpackRepo(platform, repo, directory, options);

/**
 * Makes a CAR of a folder that {@link unpackRepo} or goat wrote. Without edits, the CAR has the same commit, byte for
 * byte. With edits, `signer` signs a new commit. Follows no link.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 * import { packFolder } from 'pdsdb/node';
 *
 * const packed = await packFolder('alice-files');
 * await writeFile('alice.car', packed.car());
 * console.log(packed.head.toString(), packed.edited);
 * ```
 * @throws {RepoError} `RepoNotFound` if the folder is missing; `Malformed` for a file that is not valid, which the
 *   message names; `SignerRequired` if the records were edited and there is no signer; `InvalidDid` if the folder has
 *   no `_commit.json` and `did` is not set; `WrongDid`; `InvalidSignature`; `LimitExceeded`; `StorageFailed`.
 */
export const packFolder = (directory: string, options: PackOptions = {}): Promise<PackedFolder> =>
  folders.packFolder(platform, directory, options);

/**
 * Opens an account in the data folder of a Bluesky PDS, from its `store.sqlite` or the folder that contains it. Reads
 * the files directly, with the WAL, also while the PDS runs. Takes no lock and writes nothing. The tables are those of
 * `@atproto/pds` 0.4. Verify what is read: `importCar` and `importRepo` do.
 *
 * @example
 * ```ts
 * import { importRepo, openPdsAccount } from 'pdsdb/node';
 *
 * await using account = await openPdsAccount('pds/actors/4f/did:plc:ewvi7nxzyoun6zhxrhs64oiz');
 * await using repo = await importRepo('alice', account.car(), { did: account.did });
 * console.log(repo.imported.rev, account.blobs.length);
 * ```
 * @throws {RepoError} `RepoNotFound` if the database is missing; `Malformed` if it is not that of a PDS; `Locked` if
 *   the PDS keeps rewriting it; `StorageFailed`, `Unsupported`.
 */
export const openPdsAccount = async (path: string, { wasm }: WasmOptions = {}): Promise<PdsAccount> =>
  openPdsAccountOver(await platform.wasm(wasm), () => openPdsFiles(nodeDisk, path));

/**
 * Rebuilds a database that SQLite reports as damaged, from every page that can be read. The new database replaces
 * `pds.db`. The damaged one is kept beside it as `pds.db.damaged-<time>`. Call `openRepo` and `repair` next.
 *
 * @example
 * ```ts
 * import { openRepo, salvageRepo } from 'pdsdb/node';
 *
 * await salvageRepo('alice');
 * await using repo = await openRepo('alice');
 * const { whole, lost } = await repo.repair();
 * console.log(whole, lost);
 * ```
 * @throws {RepoError} `Corrupt` if no readable page names the account; `RepoNotFound`, `Locked`, `StorageFull`,
 *   `StorageFailed`. The damaged database is then still in place.
 */
export const salvageRepo = (directory: string, options: SalvageOptions & WasmOptions = {}): Promise<SalvageReport> =>
  folders.salvageRepo(platform, directory, options);

/**
 * Opens `pds.db` in a folder as an SQL database without a repository, with the same SQLite, lock and durability. Use it
 * with {@link KeyValueTable} or plain SQL. A database without a commit counts as missing.
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
 * @throws {RepoError} `RepoNotFound` if it is missing; with `create`, `RepoExists` if it is not; `Locked`; `Corrupt` if
 *   the file is not a database; `StorageFull`, `StorageFailed`.
 */
export const openDatabase = (directory: string, options: OpenDatabaseOptions = {}): Promise<FolderDatabase> =>
  folders.openDatabase(platform, directory, options);
