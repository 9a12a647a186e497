/**
 * The layout of `pds.db`: four key-value tables and nothing else.
 *
 *     blocks   the text of a CID -> the block's bytes, as they came
 *     commits  rev -> the text of the commit's CID: the local history
 *     meta     did, version, and what this library adds
 *     refs     name -> the text of a commit's CID; `main` is the head
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { assertDid } from '../../core/syntax/identifiers.ts';
import type { SchemaObject } from './file-format/schema-rows.ts';
import type { SqlDatabase } from './sql-database.ts';
import { lowerCase } from './sql-tokens.ts';
import { KeyValueTable } from './key-value-table.ts';
import type { TableName, TablePrefix } from './schema-objects.ts';
import { assertHarmless, checkTables, prefixOf, TABLES } from './schema-objects.ts';

export type { TablePrefix } from './schema-objects.ts';

/** What creating and checking the layout needs of a database. */
export interface SchemaDatabase extends SqlDatabase {
  transaction<T>(run: () => T): T;
  /** Moves what a crash has left in the log to the main file. Does nothing where that is done. */
  recover(): void;
}

/** What a checked `pds.db` says about itself. */
export interface Schema {
  readonly did: string;
  /** What the names of the tables begin with. */
  readonly prefix: TablePrefix;
  /** Tables, indexes and views that somebody has added, as `table=notes`. They are left alone. */
  readonly others: readonly string[];
}

export interface OpenSchemaOptions {
  /** Whether the database cannot be written to. */
  readonly isReadOnly?: boolean | undefined;
}

/** The layout that this library writes, and the newest that it reads. */
const VERSION = 1;

/** `refs` and `meta` hold texts, and people edit them by hand: see {@link KeyValueTableOptions}. */
export const openTable = (database: SqlDatabase, prefix: TablePrefix, name: TableName): KeyValueTable =>
  new KeyValueTable(database, `${prefix}${name}`, { allowText: name !== 'blocks' });

/**
 * Makes an empty database a repository of this account: all of it or nothing.
 * @throws {RepoError} `RepoExists` when the database holds anything; `InvalidDid`.
 */
export const createSchema = (database: SchemaDatabase, did: string): Schema => {
  assertDid(did);
  return database.transaction(() => {
    const [object] = readObjects(database);
    if (object !== undefined) {
      throw new RepoError('RepoExists', `the database is not empty; ${object.type}=${object.name}`);
    }
    for (const name of TABLES) {
      createTable(database, '', name);
    }
    withTable(database, '', 'meta', (meta) => {
      const encoder = new TextEncoder();
      meta.put('did', encoder.encode(did));
      meta.put('version', encoder.encode(String(VERSION)));
    });
    return { did, prefix: '', others: [] };
  });
};

/**
 * Checks that a database is a repository, to the last column: its file may come from anywhere. Tables of somebody else
 * beside those of the repository are left alone. Writes nothing, except for the table `commits` if another writer made
 * none. For reading, that table is an empty one in memory.
 * @throws {RepoError} `RepoNotFound` when the database is empty; `UnknownVersion` when a newer library wrote it;
 *   `Corrupt` when it is anything else.
 */
export const openSchema = (database: SchemaDatabase, { isReadOnly = false }: OpenSchemaOptions = {}): Schema => {
  const objects = readObjects(database);
  if (objects.length === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty');
  }
  assertHarmless(objects);
  const encoding = readRows(database, 'pragma encoding', 1)[0]?.[0];
  if (encoding !== 'UTF-8') {
    // Keys are compared and answered by their bytes.
    throw new RepoError('Corrupt', `texts in a repository are UTF-8; encoding=${encoding}`);
  }
  const prefix = prefixOf(objects);
  // The version comes first: a newer layout may well have tables that this library does not know.
  const did = withTable(database, prefix, 'meta', (meta) => {
    checkVersion(readText(meta, 'version'));
    return readText(meta, 'did');
  });
  const { lacksCommits, others } = checkTables(objects, prefix);
  for (const name of TABLES.filter((table) => table !== 'commits' || !lacksCommits)) {
    checkColumns(database, `${prefix}${name}`);
  }
  checkDid(did);
  database.recover();
  if (lacksCommits && isReadOnly) {
    database.exec(`create temp table ${prefix}commits (key text primary key, value blob not null)`);
  } else if (lacksCommits) {
    createTable(database, prefix, 'commits');
  }
  return { did, prefix, others };
};

const checkVersion = (version: string): void => {
  if (!/^[1-9][0-9]{0,8}$/.test(version)) {
    throw new RepoError('Corrupt', `not a version of the layout; version=${version.slice(0, 80)}`);
  }
  if (Number(version) > VERSION) {
    throw new RepoError(
      'UnknownVersion',
      `a newer version of this library wrote the repository, and is needed to open it; version=${version} known=${VERSION}`,
    );
  }
};

const checkDid = (did: string): void => {
  try {
    assertDid(did);
  } catch (cause) {
    throw isRepoError(cause)
      ? new RepoError('Corrupt', `meta does not name an account: ${cause.message}`, { cause })
      : cause;
  }
};

/** Of each column: its name, type, `not null`, default, place in the primary key, and whether it is hidden. */
const COLUMNS = 'key|text|0||1|0 value|blob|1||0|0';
/** Of each index its name, whether it is unique, where it comes from, whether it is partial. */
const indexOf = (table: string): string => `sqlite_autoindex_${table}_1|1|pk|0`;

/** The statement of a table was checked; this is what SQLite has made of it. */
const checkColumns = (database: SqlDatabase, table: string): void => {
  const listed = (pragma: string, columns: number): string =>
    readRows(database, `pragma ${pragma}(${table})`, columns)
      .map(([, ...row]) => row.join('|'))
      .join(' ');
  const columns = lowerCase(listed('table_xinfo', 7));
  const indexes = listed('index_list', 5);
  if (columns !== COLUMNS || indexes !== indexOf(table)) {
    throw new RepoError(
      'Corrupt',
      `not a table of keys and values; table=${table} columns=${columns.slice(0, 200)} indexes=${indexes.slice(0, 200)}`,
    );
  }
};

const readObjects = (database: SqlDatabase): SchemaObject[] =>
  readRows(database, 'select type, name, tbl_name, sql is null, sql from sqlite_schema order by rowid', 5).map(
    ([type, name, table, isAutomatic, sql]) => ({
      type: type!,
      name: name!,
      table: table!,
      sql: isAutomatic === '1' ? undefined : sql!,
    }),
  );

const readRows = (database: SqlDatabase, sql: string, columns: number): string[][] => {
  const statement = database.prepare(sql);
  try {
    const rows: string[][] = [];
    while (statement.step()) {
      rows.push(Array.from({ length: columns }, (_, column) => statement.columnText(column)));
    }
    return rows;
  } finally {
    statement.finalize();
  }
};

const readText = (table: KeyValueTable, key: string): string => {
  const value = table.get(key);
  if (value === undefined) {
    throw new RepoError('Corrupt', `a value is missing; table=${table.name} key=${key}`);
  }
  return decodeText(table, key, value);
};

/**
 * A value that is a text.
 * @throws {RepoError} `Corrupt` unless it is UTF-8.
 */
export const decodeText = (table: KeyValueTable, key: string, value: Bytes): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (cause) {
    throw new RepoError('Corrupt', `a value that is not UTF-8; table=${table.name} key=${key.slice(0, 80)}`, { cause });
  }
};

const createTable = (database: SqlDatabase, prefix: TablePrefix, name: TableName): void =>
  withTable(database, prefix, name, (table) => table.create());

const withTable = <T>(
  database: SqlDatabase,
  prefix: TablePrefix,
  name: TableName,
  use: (table: KeyValueTable) => T,
): T => {
  const table = openTable(database, prefix, name);
  try {
    return use(table);
  } finally {
    table.close();
  }
};
