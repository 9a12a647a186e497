/** Key-value tables in SQLite. Each is a namespace of its own, and any reader of SQLite files can read it. */
import type { Bytes } from '../../core/data/bytes.ts';
import { compareText } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import { MAX_STORED_VALUE } from '../../core/storage/layout.ts';
import type { Bounds, KeyRange } from './key-range.ts';
import { boundsOf } from './key-range.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';

export interface KeyValueTableOptions {
  /** Also reads values of type TEXT, as their UTF-8 bytes; a person who edits a table by hand leaves such. */
  readonly allowText?: boolean | undefined;
}

/** Lower case, because SQLite takes `Refs` and `refs` for one table; `sqlite_` is its own. */
const TABLE_NAME = /^(?!sqlite_)[a-z][a-z0-9_]{0,62}$/;

/** Rows that are read ahead, and copied out of the database, at a time. */
const PAGE_ROWS = 256;
/** The bytes of values at which a page ends early: 256 of the largest blocks would be half a gigabyte. */
const PAGE_BYTES = 1024 * 1024;

/** Bytes of a key. The longest that this library writes is a name of 256 bytes. */
export const MAX_STORED_KEY = 8192;

/**
 * SQL of a column as long as it may be, and NULL in place of more: SQLite finds the length in the head of the row, and
 * reads nothing else for it.
 */
export const ofLength = (column: 'key' | 'value'): string =>
  `case when octet_length(${column}) <= ${column === 'key' ? MAX_STORED_KEY : MAX_STORED_VALUE} then ${column} end`;

/** A replacement character in place of a wrong byte would make a key that is not in the table. */
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A row as it is listed; without `value` when only keys were asked for. */
interface Row {
  readonly key: string;
  readonly value: Bytes | undefined;
}

/**
 * One table of the shape `(key TEXT PRIMARY KEY, value BLOB NOT NULL)` over a database that somebody else opened and
 * closes. Everything is synchronous and takes part in whatever transaction the database is in.
 *
 * Bytes that are answered are the caller's; bytes that are handed over are copied. A row whose key is not a text or
 * whose value is not a blob throws `Corrupt` with the names of table and key. After `close` everything throws `Closed`.
 */
export class KeyValueTable {
  readonly name: string;
  readonly #database: SqlDatabase;
  readonly #allowText: boolean;
  /** An SQL expression: whether the value is of the right type. */
  readonly #sql: Readonly<Record<'add' | 'count' | 'delete' | 'get' | 'has' | 'length' | 'put', string>>;
  /** By their SQL, each prepared when it is first needed. */
  readonly #statements: Map<string, SqlStatement> = new Map();
  #closed = false;

  /**
   * Does not touch the database yet.
   * @throws {TypeError} unless the name is of lower-case letters, digits and `_`, begins with a letter, does not begin
   *   with `sqlite_` and has at most 63 characters. A word of the SQL language passes here and fails in SQLite.
   */
  constructor(database: SqlDatabase, name: string, options: KeyValueTableOptions = {}) {
    if (!TABLE_NAME.test(name)) {
      throw new TypeError(`not a name for a table; name=${String(name).slice(0, 80)}`);
    }
    this.name = name;
    this.#database = database;
    this.#allowText = options.allowText === true;
    this.#sql = {
      // Not `insert or ignore`, which would also pass over a value that is missing.
      add: `insert into ${name} (key, value) values (?, ?) on conflict (key) do nothing`,
      count: `select count(*) from ${name}`,
      delete: `delete from ${name} where key = ?`,
      get: `select ${ofLength('value')} from ${name} where key = ?`,
      length: `select octet_length(value) from ${name} where key = ?`,
      has: `select 1 from ${name} where key = ?`,
      put: `insert into ${name} (key, value) values (?, ?) on conflict (key) do update set value = excluded.value`,
    };
  }

  /** Creates the table in the database, unless a table of that name is there. */
  create(): void {
    this.#assertOpen();
    this.#database.exec(`CREATE TABLE IF NOT EXISTS ${this.name} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`);
  }

  /** The value of a key, or `undefined`. */
  get(key: string | Uint8Array): Bytes | undefined {
    const statement = this.#statement(this.#sql.get);
    try {
      bindKey(statement, key);
      if (!statement.step()) {
        return undefined;
      }
      if (!this.#isValue(statement, 0)) {
        throw this.#wrongValue(key);
      }
      return statement.columnBlob(0);
    } finally {
      statement.reset();
    }
  }

  /** The values of many keys, in their order; `undefined` where there is none. */
  getMany(keys: readonly string[]): (Bytes | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  has(key: string): boolean {
    const statement = this.#statement(this.#sql.has);
    try {
      statement.bindText(1, key);
      return statement.step();
    } finally {
      statement.reset();
    }
  }

  /** Sets the value of a key, whether it had one or not. */
  put(key: string, value: Uint8Array): void {
    this.#write(this.#sql.put, key, value);
  }

  /** Sets the value of a key that has none; `false`, and nothing done, when it has one. */
  add(key: string | Uint8Array, value: Uint8Array): boolean {
    this.#write(this.#sql.add, key, value);
    return this.#database.changes > 0;
  }

  /** Whether there was something to delete. */
  delete(key: string): boolean {
    const statement = this.#statement(this.#sql.delete);
    try {
      statement.bindText(1, key);
      statement.step();
    } finally {
      statement.reset();
    }
    return this.#database.changes > 0;
  }

  /**
   * The rows of a range. The table may change meanwhile: what changes behind the place that was reached no longer
   * matters, what changes ahead of it may be listed as it was or as it is, and every other row is listed once.
   */
  *iterate(range: KeyRange = {}): Generator<[key: string, value: Bytes]> {
    for (const { key, value } of this.#rows(range, true)) {
      yield [key, value!];
    }
  }

  /** The keys of a range, in the same way, without reading a value. */
  *keys(range: KeyRange = {}): Generator<string> {
    for (const { key } of this.#rows(range, false)) {
      yield key;
    }
  }

  /** How many rows there are. Reads the whole index. */
  count(): number {
    const statement = this.#statement(this.#sql.count);
    try {
      statement.step();
      return statement.columnInt(0);
    } finally {
      statement.reset();
    }
  }

  /** Lets go of the statements; the database stays open. A second call does nothing. */
  close(): void {
    this.#closed = true;
    this.release();
  }

  /** Lets go of the statements, which are prepared again when they are needed. */
  release(): void {
    for (const statement of this.#statements.values()) {
      statement.finalize();
    }
    this.#statements.clear();
  }

  #write(sql: string, key: string | Uint8Array, value: Uint8Array): void {
    if (typeof key === 'string' && !key.isWellFormed()) {
      // Half a surrogate pair has no UTF-8: it would be stored as another key.
      throw new TypeError(`not a key: half of a surrogate pair; table=${this.name}`);
    }
    const keyLength = typeof key === 'string' ? 3 * key.length : key.length;
    if (value.length > MAX_STORED_VALUE || keyLength > MAX_STORED_KEY) {
      const most = `a value has at most ${MAX_STORED_VALUE} bytes, and a key ${MAX_STORED_KEY}`;
      throw new RepoError('LimitExceeded', `${most}; table=${this.name} value=${value.length} key=${keyLength}`);
    }
    const statement = this.#statement(sql);
    try {
      bindKey(statement, key);
      statement.bindBlob(2, value);
      statement.step();
    } finally {
      statement.reset();
    }
  }

  *#rows(range: KeyRange, withValues: boolean): Generator<Row> {
    let bounds = boundsOf(range);
    let left = range.limit ?? Infinity;
    while (left > 0) {
      const page = this.#page(bounds, range.reverse === true, Math.min(left, PAGE_ROWS), withValues);
      const last = page.at(-1);
      if (last === undefined) {
        return;
      }
      this.#assertOnward(bounds, last.key, range.reverse === true);
      yield* page;
      left -= page.length;
      bounds =
        range.reverse === true ? { ...bounds, upper: last.key } : { ...bounds, lower: last.key, inclusive: false };
    }
  }

  /** In a damaged file a page of the index may lead back to itself: what does not go on goes on for ever. */
  #assertOnward({ lower, inclusive, upper }: Bounds, last: string, reverse: boolean): void {
    const bound = reverse ? upper : lower;
    if (bound === undefined || (last === bound && inclusive && !reverse)) {
      return;
    }
    const distance = compareText(last, bound);
    if (reverse ? distance >= 0 : distance <= 0) {
      throw this.#corrupt('keys that are not in order', last);
    }
  }

  /** Reads some rows in one go, so that no statement is under way while somebody else changes the table. */
  #page({ lower, inclusive, upper }: Bounds, reverse: boolean, limit: number, withValues: boolean): Row[] {
    const from = lower === undefined ? '' : ` and key ${inclusive ? '>=' : '>'} ?1`;
    const to = upper === undefined ? '' : ' and key < ?2';
    const columns = withValues ? `${KEY_COLUMNS}, ${ofLength('value')}` : KEY_COLUMNS;
    const order = `order by key${reverse ? ' desc' : ''} limit ?3`;
    const statement = this.#statement(`select ${columns} from ${this.name} where true${from}${to} ${order}`);
    const rows: Row[] = [];
    let size = 0;
    try {
      if (lower !== undefined) {
        statement.bindText(1, lower);
      }
      if (upper !== undefined) {
        statement.bindText(2, upper);
      }
      statement.bindInt(3, limit);
      while (size < PAGE_BYTES && statement.step()) {
        const row = this.#readRow(statement, withValues);
        size += row.value?.length ?? 0;
        rows.push(row);
      }
      return rows;
    } finally {
      statement.reset();
    }
  }

  #readRow(statement: SqlStatement, withValues: boolean): Row {
    if (statement.columnInt(1) === 0) {
      throw this.#corrupt('a key that is not a text, or is too long', statement.columnText(0));
    }
    let key: string;
    try {
      key = decoder.decode(statement.columnBlob(0));
    } catch (cause) {
      throw this.#corrupt('a key that is not UTF-8', statement.columnText(0), cause);
    }
    if (!withValues) {
      return { key, value: undefined };
    }
    if (!this.#isValue(statement, 2)) {
      throw this.#wrongValue(key);
    }
    return { key, value: statement.columnBlob(2) };
  }

  #statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      return known;
    }
    this.#assertOpen();
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Whether a column of {@link ofLength} has a value: it is NULL for one that is too long. */
  #isValue(statement: SqlStatement, column: number): boolean {
    const type = statement.columnType(column);
    return type === 'blob' || (type === 'text' && this.#allowText);
  }

  /** The error for a value that is too long or not a blob. Its length is asked for here, and not by every read. */
  #wrongValue(key: string | Uint8Array): RepoError {
    const statement = this.#statement(this.#sql.length);
    try {
      bindKey(statement, key);
      const length = statement.step() ? statement.columnInt(0) : 0;
      return this.#corrupt(
        length > MAX_STORED_VALUE
          ? `a value of ${length} bytes, which has at most ${MAX_STORED_VALUE},`
          : 'a value that is not a blob',
        key,
      );
    } finally {
      statement.reset();
    }
  }

  #corrupt(what: string, key: string | Uint8Array, cause?: unknown): RepoError {
    const text = typeof key === 'string' ? key : new TextDecoder().decode(key);
    return new RepoError(
      'Corrupt',
      `${what}; table=${this.name} key=${text.slice(0, 80)}`,
      cause === undefined ? {} : { cause },
    );
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new RepoError('Closed', `the table is closed; table=${this.name}`);
    }
  }
}

const KEY_COLUMNS = `${ofLength('key')}, typeof(key) = 'text' and octet_length(key) <= ${MAX_STORED_KEY}`;

const bindKey = (statement: SqlStatement, key: string | Uint8Array): void => {
  if (typeof key === 'string') {
    statement.bindText(1, key);
  } else {
    statement.bindUtf8(1, key);
  }
};
