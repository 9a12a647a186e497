/**
 * The repositories of many accounts in one PostgreSQL database, for services of several processes.
 *
 * @module
 */
import { nativeHashStream } from './adapters/platform/native-hash-stream.ts';
import { nodeFastVerify, nodeSignBytes } from './adapters/platform/node-secp256k1.ts';
import { createNodeVerifySignature } from './adapters/platform/node-signatures.ts';
import type { PgOptions } from './adapters/postgres/pg-client.ts';
import { loadPg, pgClient } from './adapters/postgres/pg-client.ts';
import type { PostgresCrypto, PostgresOptions } from './adapters/postgres/postgres-repos.ts';
import { PostgresRepos } from './adapters/postgres/postgres-repos.ts';
import type { SqlClient } from './adapters/postgres/sql-client.ts';
import { createHashAll } from './wasm/hash/sha256.ts';

export type {
  CreatePostgresRepoOptions,
  OpenPostgresRepoOptions,
  PostgresOptions,
  PostgresRepos,
  SweepOptions,
} from './adapters/postgres/postgres-repos.ts';
export type { Pg, PgOptions, PgSettings } from './adapters/postgres/pg-client.ts';
export { pgClient } from './adapters/postgres/pg-client.ts';
export type { ListReposOptions, RepoEntry } from './adapters/postgres/repo-rows.ts';
export type {
  SqlCell,
  SqlClient,
  SqlConnection,
  SqlParameter,
  SqlRow,
  SqlSession,
} from './adapters/postgres/sql-client.ts';

/** The options of a database that is given by its address. */
export interface PostgresUrlOptions extends Omit<PostgresOptions, 'replica'> {
  /** The address of a standby, or a client of one. See `PostgresOptions`. */
  readonly replica?: SqlClient | string | undefined;
  /** Most connections of this process for reads and blobs. Default: 4. */
  readonly readers?: number | undefined;
  /** Most connections of this process for changes. A change has one until it ends. Default: 4. */
  readonly writers?: number | undefined;
  /** Other settings of the package `pg`, such as `ssl`. */
  readonly pg?: Readonly<Record<string, unknown>> | undefined;
}

const DEFAULT_CONNECTIONS = 4;

const crypto: PostgresCrypto = {
  hashAll: /* @__PURE__ */ createHashAll(),
  createHash: nativeHashStream,
  verifySignature: /* @__PURE__ */ createNodeVerifySignature(nodeFastVerify),
  signBytes: nodeSignBytes,
};

const connectionsOf = (name: string, value: number = DEFAULT_CONNECTIONS): number => {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`${name} must be a positive integer; ${name}=${String(value)}`);
  }
  return value;
};

/**
 * Returns the repositories of a PostgreSQL database, version 13 or later. It connects when it is first used. Pass the
 * address for the package `pg`, version 8, which the program installs, or a client over another driver.
 *
 * @example
 * ```ts
 * import { generateKey } from 'pdsdb';
 * import { openPostgres } from 'pdsdb/postgres';
 *
 * await using accounts = await openPostgres('postgres://service@localhost/accounts', { readers: 8, writers: 4 });
 * await accounts.migrate();
 * await using repo = await accounts.createRepo({ did: 'did:web:alice.example.com', signer: generateKey() });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `Unsupported` if the address is given and the package `pg` is missing.
 * @throws {TypeError} if an option is not valid.
 */
export const openPostgres = async (
  database: SqlClient | string,
  options: PostgresUrlOptions = {},
): Promise<PostgresRepos> => {
  const connect = async (at: SqlClient | string): Promise<SqlClient> => {
    if (typeof at !== 'string') {
      return at;
    }
    const settings: PgOptions = {
      ...options.pg,
      connectionString: at,
      readers: connectionsOf('readers', options.readers),
      writers: connectionsOf('writers', options.writers),
    };
    return pgClient(await loadPg(), settings);
  };
  const replica = options.replica === undefined ? undefined : await connect(options.replica);
  return new PostgresRepos(await connect(database), crypto, { ...options, replica });
};
