/** A repository over the files of one database and a place for blobs: the same steps on every platform. */
import type { Repo } from '../../core/repo/repo.ts';
import type { VerifySignature } from '../../core/crypto/keys.ts';
import { storedRepoOver } from '../../core/repo/local-repo.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { HashAll } from '../../core/data/sha256.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { BlobStore, BlockStore } from '../../core/storage/ports.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { createHashAll } from '../../wasm/hash/sha256.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import { PAGE_CACHE_KIBIBYTES } from '../../wasm/database/settings.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import { NodeBudget } from '../../core/mst/node-cache.ts';
import { yielding } from './yielding-store.ts';
import type { IsBulk } from './block-store.ts';
import { openInspected } from './inspect-database.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from './open-block-store.ts';
import { openReadOnlyStore } from './open-read-only.ts';

/** One for all repositories of the process: what it works in takes memory. */
const bySimd: HashAll = /* @__PURE__ */ createHashAll();

/**
 * The share of decoded tree nodes; pages of SQLite have the rest. The nodes above the lowest layer of 100,000 records
 * take 24 MB. Reading 10,000 random records of them took 18 % longer with a share of 1/4.
 */
const NODE_SHARE = 3 / 8;

/**
 * Bytes that the caches of all repositories of a process may have together, unless an opening says otherwise: 64 MiB,
 * of which the database keeps its own part.
 */
export const DEFAULT_CACHE_BYTES: number = (PAGE_CACHE_KIBIBYTES * 1024) / (1 - NODE_SHARE);

const nodeBudget: NodeBudget = /* @__PURE__ */ new NodeBudget(DEFAULT_CACHE_BYTES * NODE_SHARE);

/** @throws {TypeError} when this is not a valid size of the caches in bytes; `undefined` is valid. */
export const assertCacheBytes = (bytes: number | undefined): void => {
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 0)) {
    throw new TypeError(`cacheBytes is a whole number of bytes; cacheBytes=${String(bytes)}`);
  }
};

const limitCaches = (sqlite: Sqlite, bytes: number): void => {
  nodeBudget.limit(bytes * NODE_SHARE);
  sqlite.limitPageCaches(bytes * (1 - NODE_SHARE));
};

/** What a platform gives. */
export interface RepoPlatform {
  /** Lets the event loop of a worker run during long work, see `yielding`. */
  readonly yieldToEvents?: (() => Promise<void>) | undefined;
  /** The compiled WebAssembly of sql.js. */
  wasm(): Promise<WebAssembly.Module>;
  /** Opens the database's files and takes their lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Opens the place for blobs; called while the lock is held, or for a repository that is only read. */
  openBlobs(): Promise<BlobStore>;
  /** Bytes that the caches of all repositories of this process may have together from now on. */
  readonly cacheBytes?: number | undefined;
  /** See {@link SqliteBlockStoreOptions}. */
  readonly isBulk?: IsBulk | undefined;
  /** Hashes many messages, where there is more than SIMD to do it with. */
  readonly hashAll?: HashAll | undefined;
  /** Checks signatures, where the platform does it faster than JavaScript. */
  readonly verifySignature?: VerifySignature | undefined;
}

/** Whose repository to make, and how to write to it. */
export interface SqliteRepoOptions {
  readonly did?: string | undefined;
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
}

/**
 * Makes (`did` given) or opens a repository. The lock comes first, and if anything fails it is let go of again.
 * @throws {RepoError} as the platform, {@link createSqliteBlockStore} and {@link openSqliteBlockStore} do.
 * @throws {TypeError} when `cacheBytes` is not a valid number of bytes. No file is opened then.
 */
export const sqliteRepo = async (
  platform: RepoPlatform,
  { did, signer, validate }: SqliteRepoOptions,
): Promise<StoredRepo> => {
  const sqlite = await loadFor(platform);
  const files = await platform.openFiles();
  const store = await openDatabase(files, () => {
    const database = openInspected(sqlite, files, { isNew: did !== undefined });
    const { isBulk } = platform;
    return did === undefined
      ? openSqliteBlockStore(database, files, { isBulk })
      : createSqliteBlockStore(database, files, did, { isBulk });
  });
  try {
    return repoOn(platform, store, await platform.openBlobs(), { signer, validate });
  } catch (error) {
    await store.close();
    throw error;
  }
};

/**
 * Opens a repository for reading: takes no lock, and writes nothing.
 * @throws {RepoError} `Locked` while somebody writes; as the platform and {@link openSqliteBlockStore} do.
 * @throws {TypeError} when `cacheBytes` is not a valid number of bytes.
 */
export const sqliteRepoReadOnly = async (
  platform: RepoPlatform,
  openFiles: () => Promise<ReadOnlyFiles>,
): Promise<Repo> => {
  const store = await openReadOnlyStore(await loadFor(platform), openFiles);
  try {
    return readOnlyRepo(repoOn(platform, store, await platform.openBlobs(), {}), { storage: store });
  } catch (error) {
    await store.close();
    throw error;
  }
};

const loadFor = async (platform: RepoPlatform): Promise<Sqlite> => {
  assertCacheBytes(platform.cacheBytes);
  const sqlite = await loadSqlite(await platform.wasm());
  if (platform.cacheBytes !== undefined) {
    limitCaches(sqlite, platform.cacheBytes);
  }
  return sqlite;
};

const repoOn = (
  { yieldToEvents, hashAll = bySimd, verifySignature }: RepoPlatform,
  store: BlockStore & { readonly did: string },
  blobs: BlobStore,
  { signer, validate }: Pick<SqliteRepoOptions, 'signer' | 'validate'>,
): StoredRepo =>
  storedRepoOver({
    did: store.did,
    store: yieldToEvents === undefined ? store : yielding(store, yieldToEvents),
    blobs,
    signer,
    validate,
    hashAll,
    verifySignature,
    yieldToEvents,
    nodeBudget,
  });

/** From the store on, the files are the store's to close; until then they are ours. Closing them twice does nothing. */
const openDatabase = async <T>(files: DatabaseFiles, open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (error) {
    await files.close();
    throw error;
  }
};
