/** Opens a repository over the files of one database and a blob store. Every platform uses these steps. */
import type { Repo } from '../../core/repo/repo.ts';
import type { VerifySignature } from '../../core/crypto/keys.ts';
import { storedRepoOver } from '../../core/repo/local-repo.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { CreateHash, HashAll } from '../../core/data/sha256.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { SignBytes } from '../../core/crypto/signing-key.ts';
import type { BlobStore, BlockStore } from '../../core/storage/ports.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { createHashAll } from '../../wasm/hash/sha256.ts';
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import { PAGE_CACHE_KIBIBYTES } from '../../wasm/database/settings.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import { CacheBudget } from '../../core/blocks/cid-cache.ts';
import { yielding } from './yielding-store.ts';
import type { IsBulk } from './block-store.ts';
import { openInspected } from './inspect-database.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from './open-block-store.ts';
import { openReadOnlyStore } from './open-read-only.ts';

/** One for all repositories of the process, because each has its own WebAssembly memory. */
const bySimd: HashAll = /* @__PURE__ */ createHashAll();

/**
 * The share of the cache for decoded nodes and for records. SQLite's pages have the rest. Of a tree of 100,000 records,
 * the nodes above the lowest layer take 24 MB. With a share of 1/4, reading 10,000 random records took 18 % longer.
 */
const NODE_SHARE = 3 / 8;

/**
 * The default limit in bytes for the caches of all repositories of a process together: 64 MiB.
 */
export const DEFAULT_CACHE_BYTES: number = (PAGE_CACHE_KIBIBYTES * 1024) / (1 - NODE_SHARE);

const cacheBudget: CacheBudget = /* @__PURE__ */ new CacheBudget(DEFAULT_CACHE_BYTES * NODE_SHARE);

/** @throws {TypeError} if `bytes` is neither `undefined` nor a non-negative integer. */
export const assertCacheBytes = (bytes: number | undefined): void => {
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 0)) {
    throw new TypeError(`cacheBytes must be a non-negative integer; cacheBytes=${String(bytes)}`);
  }
};

const limitCaches = (sqlite: Sqlite, bytes: number): void => {
  cacheBudget.limit(bytes * NODE_SHARE);
  sqlite.limitPageCaches(bytes * (1 - NODE_SHARE));
};

/** What a platform provides. */
export interface RepoPlatform {
  /** Yields to the event loop of a worker during long work, see `yielding`. */
  readonly yieldToEvents?: (() => Promise<void>) | undefined;
  /** The compiled WebAssembly of sql.js. */
  wasm(): Promise<WebAssembly.Module>;
  /** Opens the database's files and takes their lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Opens the blob store. It is called while the lock is held, or for reading only. */
  openBlobs(): Promise<BlobStore>;
  /** The limit in bytes for the caches of all repositories of this process together, from now on. */
  readonly cacheBytes?: number | undefined;
  /** See {@link SqliteBlockStoreOptions}. */
  readonly isBulk?: IsBulk | undefined;
  /** Hashes many messages, where the platform is faster than WebAssembly with SIMD. */
  readonly hashAll?: HashAll | undefined;
  /** Hashes blobs and backups, where the platform is faster than WebAssembly. */
  readonly createHash?: CreateHash | undefined;
  /** Checks signatures, where the platform is faster than JavaScript. */
  readonly verifySignature?: VerifySignature | undefined;
  /** Signs with the keys of `generateKey` and `importKey`, where the platform is faster than JavaScript. */
  readonly signBytes?: SignBytes | undefined;
}

/** The account of a new repository, and how to write. */
export interface SqliteRepoOptions {
  readonly did?: string | undefined;
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
}

/**
 * Creates a repository if `did` is given; otherwise opens one. Takes the lock first, and releases it if anything fails.
 * @throws {RepoError} The codes of the platform, {@link createSqliteBlockStore} and {@link openSqliteBlockStore}.
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer. No file is opened then.
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
 * Opens a repository for reading only, without a lock. Writes nothing.
 * @throws {RepoError} `Locked` while a writer has it open; the codes of the platform and {@link openSqliteBlockStore}.
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer.
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
  { yieldToEvents, hashAll = bySimd, createHash = sha256Stream, verifySignature, signBytes }: RepoPlatform,
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
    createHash,
    verifySignature,
    signBytes,
    yieldToEvents,
    cacheBudget,
  });

/** Closes the files if no store is opened. A store closes them itself. Closing them twice does nothing. */
const openDatabase = async <T>(files: DatabaseFiles, open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (error) {
    await files.close();
    throw error;
  }
};
