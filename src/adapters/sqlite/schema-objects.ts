/**
 * What the schema of `pds.db` may hold, decided from the rows of `sqlite_schema` alone. A schema is a program: SQLite
 * runs generated columns, triggers and the code of virtual tables when it is opened, read or checked.
 */
import { RepoError } from '../../core/errors.ts';
import type { SchemaObject } from './file-format/schema-rows.ts';
import type { Token } from './sql-tokens.ts';
import { isSameName, lowerCase, tokensOf } from './sql-tokens.ts';

/** This library writes plain names; other writers put `kv_` before them. */
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

/** Whether an object is the index that SQLite makes for a primary key or a unique column. It has no statement. */
const isAutomatic = ({ type, name, table, sql }: SchemaObject): boolean => {
  const prefix = `sqlite_autoindex_${table}_`;
  return (
    sql === undefined && type === 'index' && name.startsWith(prefix) && /^[1-9][0-9]*$/.test(name.slice(prefix.length))
  );
};

/** Anything more in the statement would change what a table does: a collation, a default, a check, `without rowid`. */
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

/** Checks that an object is a plain table, index or view, and that its statement makes what its row says. */
const assertPlain = (object: SchemaObject): void => {
  const { type, name, table, sql } = object;
  if (lowerCase(name).startsWith('sqlite_') || lowerCase(table).startsWith('sqlite_')) {
    // SQLite reads its statistics with the schema, and runs what their columns compute.
    throw refusal(object, `a repository has no ${type} of SQLite's own: ${ADVICE}`);
  }
  if (type !== 'table' && type !== 'index' && type !== 'view') {
    throw refusal(object, `a repository has no such object: ${ADVICE}`);
  }
  const tokens = tokensOf(sql ?? '');
  const isUnique = isWord(tokens[1], 'unique');
  const [kind, named, on, of] = tokens.slice(isUnique ? 2 : 1);
  if (isWord(kind, 'virtual')) {
    throw refusal(object, `a repository has no virtual table: ${ADVICE}`);
  }
  const isOf = type === 'index' ? isWord(on, 'on') && isNamed(of, table) : isSameName(name, table);
  const isWhatItSays = isWord(tokens[0], 'create') && isWord(kind, type) && (!isUnique || type === 'index');
  if (!isWhatItSays || !isNamed(named, name) || !isOf) {
    throw refusal(object, 'the statement of an object is one of another object');
  }
  // A cast has no parenthesis there: `cast(x as text)`.
  if (type === 'table' && tokens.some((token, i) => isWord(token, 'as') && isMark(tokens[i + 1], '('))) {
    throw refusal(object, `a repository has no generated column: ${ADVICE}`);
  }
};

/**
 * Checks that SQLite can open a database with these objects without running anything out of the file.
 * @throws {RepoError} `Corrupt`, naming the first object that is not a plain table, index or view.
 */
export const assertHarmless = (objects: readonly SchemaObject[]): void => {
  const names = new Set<string>();
  for (const object of objects) {
    const name = lowerCase(object.name);
    if (names.has(name)) {
      throw refusal(object, 'two objects have one name');
    }
    names.add(name);
    if (!isAutomatic(object)) {
      assertPlain(object);
    }
  }
};

/** What a checked schema holds. */
export interface CheckedObjects {
  /** Whether there is no table `commits`: another writer keeps no history. */
  readonly lacksCommits: boolean;
  /** Tables, indexes and views that somebody has added beside those of the repository, as `table=notes`. */
  readonly others: readonly string[];
}

/** What the names of the tables begin with. @throws {RepoError} `Corrupt` when there is no table `meta`. */
export const prefixOf = (objects: readonly SchemaObject[]): TablePrefix => {
  for (const prefix of TABLE_PREFIXES) {
    const meta = objects.find(({ name }) => name === `${prefix}meta`);
    if (meta !== undefined) {
      assertTable(meta);
      return prefix;
    }
  }
  throw new RepoError('Corrupt', `not a repository: there is no table meta; ${shown(objects[0]!)}`);
};

const assertTable = (object: SchemaObject): void => {
  if (object.type !== 'table' || !isKeyValueTable(tokensOf(object.sql ?? ''), object.name)) {
    throw refusal(object, 'not a table of keys and values');
  }
};

/**
 * Checks that the tables of the repository are there, each with the index of its primary key and nothing more.
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
        throw refusal(object, 'a table of a repository has no other index than that of its primary key');
      }
      present.add(name);
    } else if (!isAutomatic(object)) {
      others.push(shown(object));
    }
  }
  const lacksCommits = !present.has(`${prefix}commits`);
  for (const table of ours.filter((name) => name !== `${prefix}commits` || !lacksCommits)) {
    if (!present.has(table)) {
      throw new RepoError('Corrupt', `a table is missing; table=${table}`);
    }
    if (!present.has(`sqlite_autoindex_${table}_1`)) {
      throw new RepoError('Corrupt', `the index of a primary key is missing; table=${table}`);
    }
  }
  return { lacksCommits, others };
};
