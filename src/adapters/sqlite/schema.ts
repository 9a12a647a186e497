/**
 * The layout of `pds.db`: four key-value tables.
 *
 *     blocks   the text of a CID -> the bytes of the block, unchanged
 *     commits  rev -> the text of the commit's CID: the local history
 *     meta     did, version, and other values of this library
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
  /** Checkpoints a WAL that a crash has left. A second call does nothing. */
  recover(): void;
}

/** What a checked `pds.db` contains. */
export interface Schema {
  readonly did: string;
  /** The prefix of the table names. */
  readonly prefix: TablePrefix;
  /** Tables, indexes and views that are not part of the repository, as `table=notes`. They are not changed. */
  readonly others: readonly string[];
}

export interface OpenSchemaOptions {
  /** Whether the database cannot be written to. */
  readonly isReadOnly?: boolean | undefined;
}

/** The version of the layout that this library writes, and the newest one that it reads. */
const VERSION = 1;

/** Allows values of type TEXT, except in `blocks`: people edit the other tables by hand. */
export const openTable = (database: SqlDatabase, prefix: TablePrefix, name: TableName): KeyValueTable =>
  new KeyValueTable(database, `${prefix}${name}`, { allowText: name !== 'blocks' });

/**
 * Creates the tables of a repository of an account in an empty database, in one transaction.
 * @throws {RepoError} `RepoExists` if the database is not empty; `InvalidDid`.
 */
export const createSchema = (database: SchemaDatabase, did: string): Schema => {
  assertDid(did);
  return database.transaction(() => {
    const [object] = readObjects(database);
    if (object !== undefined) {
      throw new RepoError(
        'RepoExists',
        `cannot create a repository: the database is not empty. Open it instead; ${object.type}=${object.name}`,
      );
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
 * Checks that a database is a repository, to the last column, because the file is untrusted. Other tables in the
 * database are not changed. Writes nothing, except a missing table `commits`. For a read-only database, that table is
 * created in memory.
 * @throws {RepoError} `RepoNotFound` if the database is empty; `UnknownVersion` if a newer library wrote it; `Corrupt`
 *   if it is anything else.
 */
export const openSchema = (database: SchemaDatabase, { isReadOnly = false }: OpenSchemaOptions = {}): Schema => {
  const objects = readObjects(database);
  if (objects.length === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty: create the repository first');
  }
  assertHarmless(objects);
  const encoding = readRows(database, 'pragma encoding', 1)[0]?.[0];
  if (encoding !== 'UTF-8') {
    // Keys are compared and returned as UTF-8 bytes.
    throw new RepoError(
      'Corrupt',
      `not a repository: its encoding is not UTF-8. Restore a backup; encoding=${encoding}`,
    );
  }
  const prefix = prefixOf(objects);
  // The version is checked first, because a newer layout may have tables that this library does not know.
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
    throw new RepoError(
      'Corrupt',
      `the version of the layout is not a number: restore a backup; version=${version.slice(0, 80)}`,
    );
  }
  if (Number(version) > VERSION) {
    throw new RepoError(
      'UnknownVersion',
      `a newer version of pdsdb wrote the repository: update pdsdb to open it; version=${version} known=${VERSION}`,
    );
  }
};

const checkDid = (did: string): void => {
  try {
    assertDid(did);
  } catch (cause) {
    throw isRepoError(cause)
      ? new RepoError('Corrupt', `the table meta has no valid did: ${cause.message}. Restore a backup`, { cause })
      : cause;
  }
};

/** The columns: name, type, `not null`, default, position in the primary key, and whether the column is hidden. */
const COLUMNS = 'key|text|0||1|0 value|blob|1||0|0';
/** The index: name, whether it is unique, its origin, whether it is partial. */
const indexOf = (table: string): string => `sqlite_autoindex_${table}_1|1|pk|0`;

/** Checks how SQLite read the statement of a table. The statement itself was checked before. */
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
      `the table is not (key TEXT PRIMARY KEY, value BLOB NOT NULL): restore a backup; table=${table} columns=${columns.slice(0, 200)} indexes=${indexes.slice(0, 200)}`,
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
    throw new RepoError('Corrupt', `a value is missing: restore a backup; table=${table.name} key=${key}`);
  }
  return decodeText(table, key, value);
};

/**
 * Decodes a value that is a text.
 * @throws {RepoError} `Corrupt` if it is not UTF-8.
 */
export const decodeText = (table: KeyValueTable, key: string, value: Bytes): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (cause) {
    throw new RepoError('Corrupt', `a value is not UTF-8: call repair; table=${table.name} key=${key.slice(0, 80)}`, {
      cause,
    });
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
