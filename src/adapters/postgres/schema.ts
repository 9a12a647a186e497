/** The tables, and their versions. `docs/postgres.md` describes them for operators. */
import { RepoError } from '../../core/errors.ts';
import type { SqlSession } from './sql-client.ts';
import { sqlStateOf, toSqlError } from './sql-errors.ts';

/** The version of the tables that this library reads and writes. */
export const TABLES_VERSION = 1;

export const DEFAULT_SCHEMA = 'pdsdb';

/** The names of the tables as they stand in statements, with the schema. */
export interface TableNames {
  readonly schema: string;
  readonly layout: string;
  readonly repos: string;
  readonly blocks: string;
  readonly refs: string;
  readonly meta: string;
  readonly commits: string;
  readonly blobs: string;
  readonly blobChunks: string;
}

/**
 * Returns the names of the tables in a schema.
 * @throws {TypeError} if the name is not 1 to 63 characters of a-z, 0-9 and `_`, or begins with a digit.
 */
export const tablesIn = (schema: string): TableNames => {
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new TypeError(`schema must be 1 to 63 characters of a-z, 0-9 and _; schema=${String(schema)}`);
  }
  const table = (name: string): string => `"${schema}".${name}`;
  return {
    schema: `"${schema}"`,
    layout: table('layout'),
    repos: table('repos'),
    blocks: table('blocks'),
    refs: table('refs'),
    meta: table('meta'),
    commits: table('commits'),
    blobs: table('blobs'),
    blobChunks: table('blob_chunks'),
  };
};

/**
 * The statements that make each version of the one before it. Every table begins with the number of its repository,
 * so that Citus can distribute by it. The number is a hash of the DID, so that creating a repository needs no sequence.
 * There are no foreign keys, because a row is only written while the row of `repos` is locked.
 *
 * Names are UTF-8 in `bytea`, so that they have the order of their bytes in every database. Meta values are `bytea`,
 * because a `text` cannot contain U+0000.
 */
export const MIGRATIONS: readonly ((names: TableNames) => string)[] = [
  ({ repos, blocks, refs, meta, commits, blobs, blobChunks }) => `
create table ${repos} (
  id int8 primary key,
  did text collate "C" not null check (
    id = ('x' || encode(substring(sha256(convert_to(did, 'UTF8')) from 1 for 8), 'hex'))::bit(64)::int8
  )
);
create index repos_did on ${repos} (did);
create table ${blocks} (
  repo int8 not null,
  key bytea not null check (octet_length(key) = 36),
  bytes bytea not null,
  primary key (repo, key)
);
create table ${refs} (
  repo int8 not null,
  name bytea not null,
  cid bytea not null check (octet_length(cid) = 36 and substring(cid from 1 for 4) in ('\\x01711220', '\\x01551220')),
  primary key (repo, name)
);
create table ${meta} (
  repo int8 not null,
  name bytea not null,
  value bytea not null,
  primary key (repo, name)
);
create table ${commits} (
  repo int8 not null,
  rev text collate "C" not null check (rev ~ '^[2-7a-j][2-7a-z]{12}$'),
  cid bytea not null check (octet_length(cid) = 36 and substring(cid from 1 for 4) in ('\\x01711220', '\\x01551220')),
  primary key (repo, rev)
);
create table ${blobs} (
  repo int8 not null,
  key bytea not null check (octet_length(key) = 36),
  size int8 not null check (size >= 0),
  stored_at timestamptz not null,
  upload bytea not null check (octet_length(upload) = 16),
  primary key (repo, key)
);
create table ${blobChunks} (
  repo int8 not null,
  upload bytea not null check (octet_length(upload) = 16),
  number int4 not null check (number >= 0),
  bytes bytea not null,
  primary key (repo, upload, number)
);
alter table ${blobChunks} alter column bytes set storage external;
`,
];

const UNDEFINED_TABLE = '42P01';

/** Returns the version of the tables, or `undefined` if the schema has no tables. */
export const tablesVersion = async (session: SqlSession, names: TableNames): Promise<number | undefined> => {
  // Asked first, because a statement that fails ends the transaction of the migration.
  const [found] = await session.query('select to_regclass($1::text)::text', [names.layout]);
  return found?.[0] == null ? undefined : storedVersion(session, names);
};

const storedVersion = async (session: SqlSession, { layout }: TableNames): Promise<number | undefined> => {
  const [row] = await session.query(`select max(version)::text from ${layout}`);
  return row?.[0] == null ? undefined : Number(row[0]);
};

/** @throws {RepoError} `UnknownVersion` if the tables are newer than this library. */
export const assertNotNewer = (version: number | undefined, { schema }: TableNames): void => {
  if (version !== undefined && version > TABLES_VERSION) {
    throw new RepoError(
      'UnknownVersion',
      `a newer version of pdsdb made the tables: update pdsdb; schema=${schema} version=${version} known=${TABLES_VERSION}`,
    );
  }
};

/** @throws {RepoError} `UnknownVersion` unless the tables have the version of this library. */
export const assertMigrated = async (session: SqlSession, names: TableNames): Promise<void> => {
  const version = await storedVersion(session, names).catch((error: unknown) => {
    if (sqlStateOf(error) === UNDEFINED_TABLE) {
      return undefined;
    }
    throw toSqlError(error, 'reading the version of the tables');
  });
  assertNotNewer(version, names);
  if (version !== TABLES_VERSION) {
    throw new RepoError(
      'UnknownVersion',
      `the tables are not migrated: call migrate() once; schema=${names.schema} version=${version ?? 'none'} known=${TABLES_VERSION}`,
    );
  }
};
