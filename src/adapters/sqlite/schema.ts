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
import type { SqlDatabase } from './sql-database.ts';
import { KeyValueTable } from './key-value-table.ts';

/** What creating and checking the layout needs of a database. */
export interface SchemaDatabase extends SqlDatabase {
  transaction<T>(run: () => T): T;
}

/** What a checked `pds.db` says about itself. */
export interface Schema {
  readonly did: string;
  /** What the names of the tables begin with. */
  readonly prefix: TablePrefix;
}

/** This library writes plain names; other writers put `kv_` before them. */
const TABLE_PREFIXES = ['', 'kv_'] as const;
export type TablePrefix = (typeof TABLE_PREFIXES)[number];

const TABLES = ['blocks', 'commits', 'meta', 'refs'] as const;

/** The layout that this library writes, and the newest that it reads. */
const VERSION = 1;

/** One line of `sqlite_schema`. */
interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** `refs` and `meta` hold texts, and people edit them by hand: see {@link KeyValueTableOptions}. */
export const openTable = (database: SqlDatabase, prefix: TablePrefix, name: (typeof TABLES)[number]): KeyValueTable =>
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
    return { did, prefix: '' };
  });
};

/**
 * Checks that a database is a repository, to the last column: what is in it came from somewhere, and a trigger or an
 * index that nobody asked for would act on every write. Writes nothing, but for the table `commits` where another
 * writer knew none.
 * @throws {RepoError} `RepoNotFound` when the database is empty; `UnknownVersion` when a newer library wrote it;
 *   `Corrupt` when it is anything else.
 */
export const openSchema = (database: SchemaDatabase): Schema => {
  const objects = readObjects(database);
  if (objects.length === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty');
  }
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
  checkObjects(objects, prefix);
  checkDid(did);
  if (!objects.some(({ name }) => name === `${prefix}commits`)) {
    createTable(database, prefix, 'commits');
  }
  return { did, prefix };
};

const prefixOf = (objects: readonly SchemaObject[]): TablePrefix => {
  for (const prefix of TABLE_PREFIXES) {
    const meta = objects.find(({ name }) => name === `${prefix}meta`);
    if (meta !== undefined) {
      checkTable(meta);
      return prefix;
    }
  }
  const { type, name } = objects[0]!;
  throw new RepoError('Corrupt', `not a repository: there is no table meta; ${type}=${name}`);
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

const checkObjects = (objects: readonly SchemaObject[], prefix: TablePrefix): void => {
  const names = new Set(objects.map(({ name }) => name));
  for (const table of TABLES) {
    if (table !== 'commits' && !names.has(`${prefix}${table}`)) {
      throw new RepoError('Corrupt', `a table is missing; table=${prefix}${table}`);
    }
  }
  const known = new Set<string>(TABLES.map((table) => `${prefix}${table}`));
  for (const object of objects) {
    if (!known.has(object.name)) {
      throw new RepoError(
        'Corrupt',
        `a repository has no ${object.type} of this name; ${object.type}=${object.name.slice(0, 80)}`,
      );
    }
    checkTable(object);
  }
};

/** Anything more in the statement would change what a table does: a collation, a default, a check, `without rowid`. */
const COLUMNS = '(key text primary key,value blob not null)';

const checkTable = ({ type, name, sql }: SchemaObject): void => {
  const plain = sql
    .toLowerCase()
    .replace(/["`[\]]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([(),]) ?/g, '$1')
    .replace('create table if not exists ', 'create table ');
  if (type !== 'table' || plain !== `create table ${name}${COLUMNS}`) {
    throw new RepoError('Corrupt', `not a table of keys and values; ${type}=${name} sql=${sql.slice(0, 200)}`);
  }
};

/** All that somebody has created. SQLite's own tables and the indexes of primary keys go without saying. */
const readObjects = (database: SqlDatabase): SchemaObject[] =>
  readRows(database, `select type, name, ifnull(sql, '') from sqlite_schema order by rowid`, 3)
    .map(([type, name, sql]) => ({ type: type!, name: name!, sql: sql! }))
    .filter(
      ({ type, name, sql }) => !(name.startsWith('sqlite_') && (type === 'table' || (type === 'index' && sql === ''))),
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

const createTable = (database: SqlDatabase, prefix: TablePrefix, name: (typeof TABLES)[number]): void =>
  withTable(database, prefix, name, (table) => table.create());

const withTable = <T>(
  database: SqlDatabase,
  prefix: TablePrefix,
  name: (typeof TABLES)[number],
  use: (table: KeyValueTable) => T,
): T => {
  const table = openTable(database, prefix, name);
  try {
    return use(table);
  } finally {
    table.close();
  }
};
