/**
 * Checks the schema of `pds.db` from the rows of `sqlite_schema` alone. A schema is a program: SQLite runs generated
 * columns, triggers and the code of virtual tables when it opens, reads or checks a database.
 */
import { RepoError } from '../../core/errors.ts';
import type { SchemaObject } from './file-format/schema-rows.ts';
import type { Token } from './sql-tokens.ts';
import { isSameName, lowerCase, tokensOf } from './sql-tokens.ts';

/** This library writes names without a prefix. Other writers use `kv_`. */
const TABLE_PREFIXES = ['', 'kv_'] as const;
export type TablePrefix = (typeof TABLE_PREFIXES)[number];

export const TABLES = ['blocks', 'commits', 'meta', 'refs'] as const;
export type TableName = (typeof TABLES)[number];

const shown = (object: SchemaObject): string => `${object.type.slice(0, 80)}=${object.name.slice(0, 80)}`;

const refusal = (object: SchemaObject, why: string): RepoError =>
  new RepoError('Corrupt', `${why}; ${shown(object)} sql=${(object.sql ?? '').slice(0, 200)}`);

const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text);
const isMark = (token: Token | undefined, mark: string): boolean => token?.kind === 'other' && token.text === mark;
const isNamed = (token: Token | undefined, name: string): boolean =>
  token !== undefined && token.kind !== 'other' && isSameName(token.text, name);

/** Whether an object is the index that SQLite creates for a primary key or a unique column. It has no statement. */
const isAutomatic = ({ type, name, table, sql }: SchemaObject): boolean => {
  const prefix = `sqlite_autoindex_${table}_`;
  return (
    sql === undefined && type === 'index' && name.startsWith(prefix) && /^[1-9][0-9]*$/.test(name.slice(prefix.length))
  );
};

/** Any other token changes the behavior of the table: a collation, a default, a check, `without rowid`. */
const isKeyValueTable = (tokens: readonly Token[], name: string): boolean => {
  const expected: readonly ((token: Token | undefined) => boolean)[] = [
    (token) => isWord(token, 'create'),
    (token) => isWord(token, 'table'),
    (token) => isNamed(token, name),
    (token) => isMark(token, '('),
    (token) => isNamed(token, 'key'),
    ...['text', 'primary', 'key'].map((word) => (token: Token | undefined) => isWord(token, word)),
    (token) => isMark(token, ','),
    (token) => isNamed(token, 'value'),
    ...['blob', 'not', 'null'].map((word) => (token: Token | undefined) => isWord(token, word)),
    (token) => isMark(token, ')'),
  ];
  return tokens.length === expected.length && expected.every((fits, i) => fits(tokens[i]));
};

const ADVICE = 'remove it with the sqlite3 command';
const RESTORE = 'restore a backup, or call salvageRepo';

/** Checks that an object is a plain table, index or view, and that its statement creates what its row says. */
const assertPlain = (object: SchemaObject): void => {
  const { type, name, table, sql } = object;
  if (lowerCase(name).startsWith('sqlite_') || lowerCase(table).startsWith('sqlite_')) {
    // SQLite reads its statistics with the schema, and runs what their columns compute.
    throw refusal(object, `SQLite's own ${type} is not allowed in a repository: ${ADVICE}`);
  }
  if (type !== 'table' && type !== 'index' && type !== 'view') {
    throw refusal(object, `an object of this type is not allowed in a repository: ${ADVICE}`);
  }
  const tokens = tokensOf(sql ?? '');
  const isUnique = isWord(tokens[1], 'unique');
  const [kind, named, on, of] = tokens.slice(isUnique ? 2 : 1);
  if (isWord(kind, 'virtual')) {
    throw refusal(object, `a virtual table is not allowed in a repository: ${ADVICE}`);
  }
  const isOf = type === 'index' ? isWord(on, 'on') && isNamed(of, table) : isSameName(name, table);
  const isWhatItSays = isWord(tokens[0], 'create') && isWord(kind, type) && (!isUnique || type === 'index');
  if (!isWhatItSays || !isNamed(named, name) || !isOf) {
    throw refusal(object, `the SQL of an object in the schema does not create that object: ${RESTORE}`);
  }
  // A cast has no parenthesis there: `cast(x as text)`.
  if (type === 'table' && tokens.some((token, i) => isWord(token, 'as') && isMark(tokens[i + 1], '('))) {
    throw refusal(object, `a generated column is not allowed in a repository: ${ADVICE}`);
  }
};

/**
 * Checks that SQLite can open a database with these objects without running code from the file.
 * @throws {RepoError} `Corrupt`, naming the first object that is not a plain table, index or view.
 */
export const assertHarmless = (objects: readonly SchemaObject[]): void => {
  const names = new Set<string>();
  for (const object of objects) {
    const name = lowerCase(object.name);
    if (names.has(name)) {
      throw refusal(object, `two objects of the schema have one name: ${RESTORE}`);
    }
    names.add(name);
    if (!isAutomatic(object)) {
      assertPlain(object);
    }
  }
};

/** Whether an object is the table in which SQLite counts the keys of `autoincrement`. pdsdb never has one. */
export const isSequence = ({ type, name, table, sql }: SchemaObject): boolean =>
  type === 'table' && name === 'sqlite_sequence' && table === name && sql === 'CREATE TABLE sqlite_sequence(name,seq)';

/** The result of a check of the schema. */
export interface CheckedObjects {
  /** Whether the table `commits` is missing: another writer keeps no history. */
  readonly lacksCommits: boolean;
  /** Tables, indexes and views that are not part of the repository, as `table=notes`. */
  readonly others: readonly string[];
}

/** Returns the prefix of the table names. @throws {RepoError} `Corrupt` if the table `meta` is missing. */
export const prefixOf = (objects: readonly SchemaObject[]): TablePrefix => {
  for (const prefix of TABLE_PREFIXES) {
    const meta = objects.find(({ name }) => name === `${prefix}meta`);
    if (meta !== undefined) {
      assertTable(meta);
      return prefix;
    }
  }
  throw new RepoError(
    'Corrupt',
    `not a repository: the table meta is missing. To use another database, call openDatabase; ${shown(objects[0]!)}`,
  );
};

const assertTable = (object: SchemaObject): void => {
  if (object.type !== 'table' || !isKeyValueTable(tokensOf(object.sql ?? ''), object.name)) {
    throw refusal(object, `the table is not (key TEXT PRIMARY KEY, value BLOB NOT NULL): ${RESTORE}`);
  }
};

/**
 * Checks that each table of the repository exists, and has only the index of its primary key.
 * @throws {RepoError} `Corrupt`
 */
export const checkTables = (objects: readonly SchemaObject[], prefix: TablePrefix): CheckedObjects => {
  const ours = TABLES.map((table) => `${prefix}${table}`);
  const isOurs = (name: string): boolean => ours.includes(lowerCase(name));
  const present = new Set<string>();
  const others: string[] = [];
  for (const object of objects) {
    const { type, name, table } = object;
    if (isOurs(name)) {
      assertTable(object);
      present.add(name);
    } else if (type === 'index' && isOurs(table)) {
      if (name !== `sqlite_autoindex_${table}_1` || !isAutomatic(object)) {
        throw refusal(object, `only the index of its primary key is allowed on a table of a repository: ${ADVICE}`);
      }
      present.add(name);
    } else if (!isAutomatic(object)) {
      others.push(shown(object));
    }
  }
  const lacksCommits = !present.has(`${prefix}commits`);
  for (const table of ours.filter((name) => name !== `${prefix}commits` || !lacksCommits)) {
    if (!present.has(table)) {
      throw new RepoError('Corrupt', `a table is missing: ${RESTORE}; table=${table}`);
    }
    if (!present.has(`sqlite_autoindex_${table}_1`)) {
      throw new RepoError('Corrupt', `the index of a primary key is missing: ${RESTORE}; table=${table}`);
    }
  }
  return { lacksCommits, others };
};
