/** Key-value tables in SQLite. Each table is a separate namespace, and any SQLite reader can read it. */
import type { Bytes } from '../../core/data/bytes.ts';
import { compareText } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import { MAX_STORED_VALUE } from '../../core/storage/layout.ts';
import type { Bounds, KeyRange } from './key-range.ts';
import { boundsOf } from './key-range.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';
import { MAX_STORED_KEY, ofLength } from './stored-length.ts';

export interface KeyValueTableOptions {
  /** Also reads values of type TEXT, as their UTF-8 bytes. An edit in an SQLite shell leaves such values. */
  readonly allowText?: boolean | undefined;
}

/** Lower case, because `Refs` and `refs` are one table in SQLite. SQLite reserves names with `sqlite_`. */
const TABLE_NAME = /^(?!sqlite_)[a-z][a-z0-9_]{0,62}$/;

/** Rows per page of an iteration. */
const PAGE_ROWS = 256;
/** A page ends early at this many bytes of values: 256 of the largest blocks take half a gigabyte. */
const PAGE_BYTES = 1024 * 1024;

/** Fatal, because a replacement character would make a key that is not in the table. */
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A listed row. `value` is `undefined` if only keys are read. */
interface Row {
  readonly key: string;
  readonly value: Bytes | undefined;
}

/**
 * A table `(key TEXT PRIMARY KEY, value BLOB NOT NULL)`. The caller opens and closes the database. All methods are
 * synchronous and run in the current transaction of the database.
 *
 * The caller owns the bytes that a method returns. Bytes that are passed in are copied.
 *
 * @example
 * ```ts
 * import { KeyValueTable, openDatabase } from 'pdsdb/node';
 *
 * await using database = await openDatabase('drafts', { create: true });
 * const drafts = new KeyValueTable(database, 'drafts');
 * drafts.create();
 * database.transaction(() => drafts.put('first', new TextEncoder().encode('Dear all')));
 * console.log([...drafts.keys({ prefix: 'f' })], drafts.get('first'));
 * ```
 * @throws {RepoError} From every method: `Corrupt` if a key is not a text or a value is not a blob; `Closed` after
 *   `close`; `LimitExceeded` if a key or value to write is too long.
 */
export class KeyValueTable {
  readonly name: string;
  readonly #database: SqlDatabase;
  readonly #allowText: boolean;
  readonly #sql: Readonly<Record<'add' | 'count' | 'delete' | 'get' | 'has' | 'length' | 'put', string>>;
  /** By SQL. Each statement is prepared at its first use. */
  readonly #statements: Map<string, SqlStatement> = new Map();
  #closed = false;

  /**
   * Does not read or write the database yet.
   * @param name 1 to 63 lower-case letters, digits and `_`. It begins with a letter and not with `sqlite_`. A keyword
   *   of SQL passes here and fails in SQLite.
   * @throws {TypeError} if `name` has another form.
   */
  constructor(database: SqlDatabase, name: string, options: KeyValueTableOptions = {}) {
    if (!TABLE_NAME.test(name)) {
      throw new TypeError(
        `not a valid table name: use 1 to 63 of a-z, 0-9 and _, with a letter first, and not sqlite_; name=${String(name).slice(0, 80)}`,
      );
    }
    this.name = name;
    this.#database = database;
    this.#allowText = options.allowText === true;
    this.#sql = {
      // Not `insert or ignore`, which would also ignore a NULL value.
      add: `insert into ${name} (key, value) values (?, ?) on conflict (key) do nothing`,
      count: `select count(*) from ${name}`,
      delete: `delete from ${name} where key = ?`,
      get: `select ${ofLength('value')} from ${name} where key = ?`,
      length: `select octet_length(value) from ${name} where key = ?`,
      has: `select 1 from ${name} where key = ?`,
      put: `insert into ${name} (key, value) values (?, ?) on conflict (key) do update set value = excluded.value`,
    };
  }

  /** Creates the table, unless the database has it. */
  create(): void {
    this.#assertOpen();
    this.#database.exec(`CREATE TABLE IF NOT EXISTS ${this.name} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`);
  }

  /** Returns the value of a key, or `undefined` if the key is absent. */
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

  /** Returns the values of many keys, in their order, with `undefined` for an absent key. */
  getMany(keys: readonly string[]): (Bytes | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  /** Returns whether the table has the key. */
  has(key: string): boolean {
    const statement = this.#statement(this.#sql.has);
    try {
      statement.bindText(1, key);
      return statement.step();
    } finally {
      statement.reset();
    }
  }

  /** Inserts a row, or replaces the value of an existing key. */
  put(key: string, value: Uint8Array): void {
    this.#write(this.#sql.put, key, value);
  }

  /** Inserts a row and returns `true`. If the key exists, does nothing and returns `false`. */
  add(key: string | Uint8Array, value: Uint8Array): boolean {
    this.#write(this.#sql.add, key, value);
    return this.#database.changes > 0;
  }

  /** Deletes a row. Returns whether the key existed. */
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
   * Yields the rows of a range. The table may change meanwhile. A changed row that is still ahead is listed with its
   * old or its new value. Every unchanged row is listed once.
   */
  *iterate(range: KeyRange = {}): Generator<[key: string, value: Bytes]> {
    for (const { key, value } of this.#rows(range, true)) {
      yield [key, value!];
    }
  }

  /** Yields the keys of a range, as {@link iterate} does, without reading values. */
  *keys(range: KeyRange = {}): Generator<string> {
    for (const { key } of this.#rows(range, false)) {
      yield key;
    }
  }

  /** Returns the number of rows. Reads the whole index. */
  count(): number {
    const statement = this.#statement(this.#sql.count);
    try {
      statement.step();
      return statement.columnInt(0);
    } finally {
      statement.reset();
    }
  }

  /** Finalizes the statements. The database stays open. A second call does nothing. */
  close(): void {
    this.#closed = true;
    this.release();
  }

  /** Finalizes the statements. The next use prepares them again. */
  release(): void {
    for (const statement of this.#statements.values()) {
      statement.finalize();
    }
    this.#statements.clear();
  }

  #write(sql: string, key: string | Uint8Array, value: Uint8Array): void {
    if (typeof key === 'string' && !key.isWellFormed()) {
      // A lone surrogate has no UTF-8: another key would be stored.
      throw new TypeError(
        `not a valid key: it has a lone surrogate. Remove it; table=${this.name} key=${JSON.stringify(key).slice(0, 80)}`,
      );
    }
    const keyLength = typeof key === 'string' ? 3 * key.length : key.length;
    if (value.length > MAX_STORED_VALUE || keyLength > MAX_STORED_KEY) {
      const most = `a value may have ${MAX_STORED_VALUE} bytes, and a key ${MAX_STORED_KEY}: shorten them`;
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

  /** Checks that keys ascend. A damaged page of the index may link to itself, and the iteration would never end. */
  #assertOnward({ lower, inclusive, upper }: Bounds, last: string, reverse: boolean): void {
    const bound = reverse ? upper : lower;
    if (bound === undefined || (last === bound && inclusive && !reverse)) {
      return;
    }
    const distance = compareText(last, bound);
    if (reverse ? distance >= 0 : distance <= 0) {
      throw this.#corrupt('keys are not in order: the index is damaged. Call salvageRepo, or restore a backup', last);
    }
  }

  /** Reads rows in one synchronous step, so that no statement is open while the table changes. */
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
      throw this.#corrupt(
        'a key is not a text, or is too long: call repair, or delete the row',
        statement.columnText(0),
      );
    }
    let key: string;
    try {
      key = decoder.decode(statement.columnBlob(0));
    } catch (cause) {
      throw this.#corrupt('a key is not UTF-8: call repair, or delete the row', statement.columnText(0), cause);
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

  /** Whether a column of {@link ofLength} has a value. A value that is too long reads as NULL. */
  #isValue(statement: SqlStatement, column: number): boolean {
    const type = statement.columnType(column);
    return type === 'blob' || (type === 'text' && this.#allowText);
  }

  /** Returns the error for a value that is too long or not a blob. Only this path reads the length. */
  #wrongValue(key: string | Uint8Array): RepoError {
    const statement = this.#statement(this.#sql.length);
    try {
      bindKey(statement, key);
      const length = statement.step() ? statement.columnInt(0) : 0;
      const what =
        length > MAX_STORED_VALUE
          ? `a value has ${length} bytes, more than ${MAX_STORED_VALUE}`
          : 'a value is not a blob';
      return this.#corrupt(`${what}: call repair, or delete the row`, key);
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
      throw new RepoError('Closed', `the table is closed: make another KeyValueTable; table=${this.name}`);
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
