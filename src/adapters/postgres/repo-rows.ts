/** The repositories of a database. */
import type { CID } from '../../core/data/cid.ts';
import { decodeCid } from '../../core/data/cid.ts';
import { sha256 } from '../../core/data/sha256.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import { assertDid } from '../../core/syntax/identifiers.ts';
import { encodeText } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import type { SqlClient, SqlSession } from './sql-client.ts';
import { withSqlErrors } from './sql-errors.ts';
import type { RepoRow, Transaction, TransactionLimits } from './transaction.ts';
import { beginTransaction } from './transaction.ts';

/** An account of the database. */
export interface RepoEntry {
  readonly did: string;
  /** The head, or `undefined` if the repository has no commit. */
  readonly head: CID | undefined;
}

export interface ListReposOptions {
  /** The last DID of the page before. */
  readonly after?: string | undefined;
  /** Most entries. Default: 1000. */
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 1000;

/**
 * Returns the row of an account. Its number is a hash of the DID, in decimal. The table refuses a second DID of the
 * same number: among ten million accounts, the probability of one is 3 in a million.
 * @throws {RepoError} `InvalidDid`.
 */
export const rowOf = (did: string): RepoRow => {
  assertDid(did);
  const hash = sha256(encodeText(did));
  return { did, id: new DataView(hash.buffer, hash.byteOffset).getBigInt64(0).toString() };
};

/** @throws {RepoError} `RepoExists`; `InvalidDid`; `StorageFailed`. */
export const insertRepo = async (client: SqlClient, { repos }: TableNames, did: string): Promise<RepoRow> => {
  const row = rowOf(did);
  const inserted = await withSqlErrors(client, `creating the repository of ${did}`).query(
    `insert into ${repos} (id, did) values ($1::text::int8, $2::text) on conflict do nothing returning id::text`,
    [row.id, did],
  );
  if (inserted.length === 0) {
    throw new RepoError('RepoExists', `the account has a repository: open it; did=${did}`);
  }
  return row;
};

/** @throws {RepoError} `RepoNotFound`; `InvalidDid`; `StorageFailed`. */
export const findRepo = async (client: SqlSession, { repos }: TableNames, did: string): Promise<RepoRow> => {
  const row = rowOf(did);
  const found = await withSqlErrors(client, `opening the repository of ${did}`).query(
    `select 1::text from ${repos} where id = $1::text::int8 and did = $2::text`,
    [row.id, did],
  );
  if (found.length === 0) {
    throw new RepoError('RepoNotFound', `the account has no repository here: create it; did=${did}`);
  }
  return row;
};

/**
 * Returns the next accounts after `after`, in the order of the DIDs' ASCII bytes.
 * @throws {TypeError} if `limit` is not a positive integer.
 */
export const listRows = async (
  client: SqlClient,
  { repos, refs }: TableNames,
  { after = '', limit = DEFAULT_LIMIT }: ListReposOptions,
): Promise<RepoEntry[]> => {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new TypeError(`limit must be a positive integer; limit=${String(limit)}`);
  }
  const rows = await withSqlErrors(client, 'listing the repositories').query(
    `select r.did, (select cid from ${refs} where repo = r.id and name = $3::bytea)
    from ${repos} as r where r.did > $1::text order by r.did limit $2::text::int8`,
    [after, String(limit), encodeText(MAIN)],
  );
  return rows.map(([did, head]) => ({
    did: did as string,
    head: head === null ? undefined : decodeCid(head as Uint8Array),
  }));
};

/**
 * Deletes a repository and its blobs, after running changes have ended. Returns whether it existed.
 * @throws {RepoError} `InvalidDid`; `Locked`; `StorageFailed`; `OutcomeUnknown`.
 */
export const deleteRows = async (
  client: SqlClient,
  names: TableNames,
  did: string,
  limits: TransactionLimits,
): Promise<boolean> => {
  const row = rowOf(did);
  let transaction: Transaction;
  try {
    transaction = await beginTransaction(client, names, row, limits);
  } catch (error) {
    if (isRepoError(error, 'RepoNotFound')) {
      return false;
    }
    throw error;
  }
  try {
    const { repos, blocks, refs, meta, commits, blobs, blobChunks } = names;
    // The row first: a blob that is being stored then sees that the repository ends.
    await transaction.query(`delete from ${repos} where id = $1::text::int8`, [row.id]);
    for (const table of [blocks, refs, meta, commits, blobs, blobChunks]) {
      await transaction.query(`delete from ${table} where repo = $1::text::int8`, [row.id]);
    }
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
  await transaction.commit(async () => {
    const found = await client.query(`select 1::text from ${names.repos} where id = $1::text::int8`, [row.id]);
    return found.length === 0;
  });
  return true;
};
