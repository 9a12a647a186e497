/** The repositories of many accounts in one PostgreSQL database. */
import { CacheBudget } from '../../core/blocks/cid-cache.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import { repoOver } from '../../core/repo/local-repo.ts';
import { openOrCreate } from '../../core/repo/open-or-create.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { RepoStores } from '../../core/repo/stores.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { PostgresBlobStore } from './blob-store.ts';
import { PostgresBlockStore } from './block-store.ts';
import { HeadNotices } from './head-notices.ts';
import { HeadPoller } from './head-poller.ts';
import type { OtherHeads } from '../../core/repo/read/other-heads.ts';
import { migrateTables } from './migrate.ts';
import { ReplicaReads } from './replica-reads.ts';
import type { ListReposOptions, RepoEntry } from './repo-rows.ts';
import { deleteRows, findRepo, insertRepo, listRows, rowOf } from './repo-rows.ts';
import type { TableNames } from './schema.ts';
import { assertMigrated, DEFAULT_SCHEMA, tablesIn } from './schema.ts';
import type { SqlClient } from './sql-client.ts';
import { withSqlErrors } from './sql-errors.ts';
import type { RepoRow, TransactionLimits } from './transaction.ts';
import { removeOrphanedUploads } from './upload.ts';

export interface PostgresOptions {
  /** The schema of the tables. Default: `pdsdb`. Several schemas in one database are independent. */
  readonly schema?: string | undefined;
  /**
   * Whether `onChange` and `watch` also see the changes of other owners that set this: of other processes, and of the
   * same repository opened twice. Each commit then sends a
   * `NOTIFY`, and PostgreSQL makes commits with one durable one after the other, of all accounts. Not for PgBouncer in
   * transaction mode. Default: false.
   */
  readonly notify?: boolean | undefined;
  /**
   * The same without `NOTIFY`: reads the heads of all repositories with listeners each so many milliseconds, in one
   * query. For PgBouncer in transaction mode, and for many commits a second. Heads that follow one another within this
   * time are announced as one change. Default: no polls.
   */
  readonly pollMs?: number | undefined;
  /**
   * A standby, for reads outside of changes. It may lag: no read shows an older state of a repository than a write or
   * a read of this process before it. Other processes may be ahead. Blobs and lists of accounts are read from the
   * primary.
   */
  readonly replica?: SqlClient | undefined;
  /** Another store for the blobs of an account. Default: the same database. */
  readonly blobs?: ((did: string) => BlobStore | Promise<BlobStore>) | undefined;
  /** Milliseconds that a change waits for changes of other processes. Then it rejects with `Locked`. Default: 30,000. */
  readonly lockTimeoutMs?: number | undefined;
  /** Milliseconds of one statement of a change. Default: 60,000. */
  readonly statementTimeoutMs?: number | undefined;
  /** Milliseconds that a change may pause, for example for a signer. Then PostgreSQL ends it. Default: 60,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** The limit in bytes for the caches of all repositories that this object opens. Default: 64 MiB. */
  readonly cacheBytes?: number | undefined;
}

export interface OpenPostgresRepoOptions {
  /** Signs new commits. Without one, commits are unsigned. */
  readonly signer?: Signer | undefined;
  /** Checks each record before a write. If it throws, the write rejects with that error and stores nothing. */
  readonly validate?: Validate | undefined;
}

export interface CreatePostgresRepoOptions extends OpenPostgresRepoOptions {
  readonly did: string;
}

export interface SweepOptions {
  /** The least age of what is removed. It is greater than the time of the longest upload. Default: one day. */
  readonly olderThanMs?: number | undefined;
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

const millisecondsOf = (name: string, value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0 || value > 2 ** 31 - 1) {
    throw new TypeError(`${name} must be a number of milliseconds; ${name}=${String(value)}`);
  }
  return value;
};

/** Hashes and signatures of the platform. */
export type PostgresCrypto = Pick<RepoStores, 'createHash' | 'hashAll' | 'signBytes' | 'verifySignature'>;

/** The repositories of a database. Many processes can have one open, and can write to the same repository. */
export class PostgresRepos implements AsyncDisposable {
  readonly #client: SqlClient;
  readonly #names: TableNames;
  readonly #limits: TransactionLimits;
  readonly #blobs: PostgresOptions['blobs'];
  readonly #notices: HeadNotices | undefined;
  readonly #poller: HeadPoller | undefined;
  readonly #standby: SqlClient | undefined;
  readonly #replica: ReplicaReads | undefined;
  readonly #crypto: PostgresCrypto;
  readonly #budget: CacheBudget;
  readonly #lifetime: Lifetime = new Lifetime('database');
  readonly #open = new Set<Repo>();
  #isMigrated = false;

  /** Use `openPostgres`. */
  constructor(client: SqlClient, crypto: PostgresCrypto, options: PostgresOptions = {}) {
    const { schema = DEFAULT_SCHEMA, cacheBytes = DEFAULT_CACHE_BYTES } = options;
    this.#client = client;
    this.#crypto = crypto;
    this.#names = tablesIn(schema);
    this.#blobs = options.blobs;
    const { notify = false, pollMs } = options;
    if (notify && pollMs !== undefined) {
      throw new TypeError(`notify and pollMs do the same: choose one; pollMs=${pollMs}`);
    }
    this.#notices = notify ? new HeadNotices(client, schema) : undefined;
    this.#poller =
      pollMs === undefined ? undefined : new HeadPoller(client, this.#names, millisecondsOf('pollMs', pollMs));
    this.#standby = options.replica;
    this.#replica = options.replica && new ReplicaReads(client, options.replica);
    this.#budget = new CacheBudget(cacheBytes);
    this.#limits = {
      lockTimeoutMs: millisecondsOf('lockTimeoutMs', options.lockTimeoutMs ?? 30_000),
      statementTimeoutMs: millisecondsOf('statementTimeoutMs', options.statementTimeoutMs ?? 60_000),
      idleTimeoutMs: millisecondsOf('idleTimeoutMs', options.idleTimeoutMs ?? 60_000),
    };
  }

  /**
   * Makes the tables, or brings them to the version of this library. Call it when a new version is deployed. Concurrent
   * calls wait for each other, and a call that has nothing to do changes nothing.
   * @throws {RepoError} `UnknownVersion` if a newer version of this library made the tables; `StorageFailed`.
   */
  migrate(): Promise<void> {
    return this.#lifetime.run(() => migrateTables(this.#client, this.#names));
  }

  /**
   * Creates the repository of an account, without commits.
   * @throws {RepoError} `InvalidDid`; `RepoExists`; `UnknownVersion` if `migrate` is missing; `StorageFailed`.
   */
  createRepo({ did, ...options }: CreatePostgresRepoOptions): Promise<Repo> {
    return this.#run(async () => {
      const row = await insertRepo(this.#client, this.#names, did);
      this.#replica?.wrote(row.id);
      return this.#repo(row, options);
    });
  }

  /**
   * Opens the repository of an account. Takes no lock, and holds no connection until it is used.
   * @throws {RepoError} `InvalidDid`; `RepoNotFound`; `UnknownVersion` if `migrate` is missing; `StorageFailed`.
   */
  openRepo(did: string, options: OpenPostgresRepoOptions = {}): Promise<Repo> {
    return this.#run(async () => this.#repo(await this.#find(did), options));
  }

  /** Opens the repository of an account, or creates it if the account has none. */
  openOrCreateRepo({ did, ...options }: CreatePostgresRepoOptions): Promise<Repo> {
    return openOrCreate(
      did,
      () => this.openRepo(did, options),
      () => this.createRepo({ did, ...options }),
    );
  }

  /**
   * Returns the next accounts after `after`, in the order of the DIDs, at most `limit`.
   * @throws {RepoError} `UnknownVersion` if `migrate` is missing; `StorageFailed`.
   * @throws {TypeError} if `limit` is not a positive integer.
   */
  listRepos(options: ListReposOptions = {}): Promise<RepoEntry[]> {
    return this.#run(() => listRows(this.#client, this.#names, options));
  }

  /**
   * Deletes a repository and its blobs in this database. Returns whether it existed. Changes of a process that has it
   * open then reject with `RepoNotFound`.
   * @throws {RepoError} `InvalidDid`; `Locked`; `OutcomeUnknown`; `UnknownVersion`; `StorageFailed`.
   */
  deleteRepo(did: string): Promise<boolean> {
    return this.#run(async () => {
      try {
        return await deleteRows(this.#client, this.#names, did, this.#limits);
      } finally {
        this.#replica?.wrote(rowOf(did).id);
      }
    });
  }

  /**
   * Removes the parts of blobs and the scratch files that processes left when they ended. Returns their number. Run it
   * once a day: it reads the keys of all parts.
   * @throws {RepoError} `UnknownVersion` if `migrate` is missing; `StorageFailed`.
   * @throws {TypeError} if `olderThanMs` is not a number of milliseconds.
   */
  sweep({ olderThanMs = DAY_MS }: SweepOptions = {}): Promise<number> {
    return this.#run(() => {
      const before = Date.now() - millisecondsOf('olderThanMs', olderThanMs);
      return removeOrphanedUploads(withSqlErrors(this.#client, 'the sweep'), this.#names, before);
    });
  }

  /** Closes every repository that was opened here, then the connections. A second call does nothing. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      await Promise.all([...this.#open].map((repo) => repo.close()));
      await this.#notices?.stop();
      await this.#poller?.stop();
      await Promise.all([this.#client.close(), this.#standby?.close()]);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#lifetime.run(async () => {
      if (!this.#isMigrated) {
        await assertMigrated(this.#client, this.#names);
        await this.#notices?.start();
        this.#isMigrated = true;
      }
      return work();
    });
  }

  async #find(did: string): Promise<RepoRow> {
    const { id } = rowOf(did);
    if (this.#replica !== undefined) {
      try {
        return await findRepo(this.#replica.of(id), this.#names, did);
      } catch {
        // The standby may not have it yet. Its other failures are not those of the primary.
        this.#replica.wrote(id);
      }
    }
    return findRepo(this.#client, this.#names, did);
  }

  /** Returns heads of others, of which no later read may be behind. */
  #heard(id: string, otherHeads: OtherHeads | undefined): OtherHeads | undefined {
    const replica = this.#replica;
    return replica === undefined || otherHeads === undefined
      ? otherHeads
      : (onMove) => {
          const stop = otherHeads((move) => {
            replica.wrote(id);
            onMove(move);
          });
          replica.wrote(id);
          return stop;
        };
  }

  async #repo(row: RepoRow, { signer, validate }: OpenPostgresRepoOptions): Promise<Repo> {
    const blobs =
      (await this.#blobs?.(row.did)) ?? new PostgresBlobStore(this.#client, this.#names, row, this.#crypto.createHash);
    const notices = this.#notices?.of(row.id);
    const heads = await this.#poller?.of(row.id);
    const store = new PostgresBlockStore(this.#client, this.#names, row, this.#limits, {
      notice: notices?.target,
      budget: this.#budget,
      heads,
      reads: this.#replica?.of(row.id),
      afterChange: () => this.#replica?.wrote(row.id),
      onClose: () => this.#open.delete(repo),
    });
    const repo = repoOver({
      did: row.did,
      store,
      blobs,
      signer,
      validate,
      ...this.#crypto,
      cacheBudget: this.#budget,
      otherHeads: this.#heard(row.id, notices?.otherHeads ?? heads?.otherHeads),
    });
    this.#open.add(repo);
    return repo;
  }
}
