/**
 * Lists invalid rows of the four tables, and reads the tables without them. Edits in an SQLite shell and disk errors
 * leave such rows. Ordinary reads fail at the first invalid row.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { cidTextToBytes } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { ofLength } from './stored-length.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';
import type { TablePrefix } from './schema.ts';

/** A row whose key or value has the wrong type or form for its table. */
export interface InvalidRow {
  readonly table: string;
  readonly rowid: number;
  /** One sentence. */
  readonly message: string;
}

/** Rows that are read in one synchronous step, so that no statement is open while the table changes. */
const PAGE_ROWS = 256;

/** An SQL condition: the key is the text of a CID. The last character encodes two zero bits. */
const IS_CID_KEY = [
  `typeof(key) = 'text'`,
  // First, because it reads only the length of a long key.
  'octet_length(key) = 59',
  // Also in characters, because SQLite's text functions stop at the first NUL.
  'length(key) = 59',
  `substr(key, 1, 7) in ('bafkrei', 'bafyrei')`,
  `key not glob '*[^a-z2-7]*'`,
  `instr('aeimquy4', substr(key, 59, 1)) > 0`,
].join(' and ');

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    // Bytes that are not UTF-8 are not a text.
    return undefined;
  }
};

/** Whether a value is the text of a CID. */
export const isCidText = (value: Uint8Array): boolean => {
  const text = textOf(value);
  return text !== undefined && cidTextToBytes(text) !== undefined;
};

/** Whether a key of type TEXT and a value of type BLOB or TEXT are a valid entry of the table. */
type IsEntry = (key: string, value: Bytes) => boolean;

const withStatement = <T>(database: SqlDatabase, sql: string, use: (statement: SqlStatement) => T): T => {
  const statement = database.prepare(sql);
  try {
    return use(statement);
  } finally {
    statement.finalize();
  }
};

/** Checks that keys ascend. A damaged page may link to itself, and the list would never end. */
const assertOnward = (table: string, isOnward: boolean): void => {
  if (!isOnward) {
    throw new RepoError('Corrupt', `rows are not in order: call salvageRepo; table=${table}`);
  }
};

/** Yields the keys of a table of blocks that are CIDs, in order. */
export function* cidKeys(database: SqlDatabase, table: string): Generator<string> {
  const sql = `select key from ${table} where key > ?1 and ${IS_CID_KEY} order by key limit ${PAGE_ROWS}`;
  for (let after = ''; ; ) {
    const keys = withStatement(database, sql, (statement) => {
      const found: string[] = [];
      for (statement.bindText(1, after); statement.step(); ) {
        found.push(statement.columnText(0));
      }
      return found;
    });
    yield* keys;
    const last = keys.at(-1);
    if (last === undefined) {
      return;
    }
    assertOnward(table, last > after);
    after = last;
  }
}

interface Row {
  readonly rowid: number;
  /** `undefined` if it is not a text, or is too long. */
  readonly key: string | undefined;
  /** `undefined` if it is neither a blob nor a text, or is too long. */
  readonly value: Bytes | undefined;
}

/** A page of rows ends early at this many bytes of values. */
const PAGE_BYTES = 1024 * 1024;

const ROW = `rowid, typeof(key) = 'text', ${ofLength('key')}, typeof(value) in ('blob', 'text'), ${ofLength('value')}`;
/** Without the value: the caller checks blocks by their hash. */
const KEY_OF_ROW = `rowid, typeof(key) = 'text', ${ofLength('key')}, 0, null`;

/** Yields the rows for which an SQL condition is true, by rowid. The table may change between two rows. */
function* rowsOf(database: SqlDatabase, table: string, columns: string, condition: string): Generator<Row> {
  const sql = `select ${columns} from ${table} where rowid > ?1 and ${condition} order by rowid limit ${PAGE_ROWS}`;
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = withStatement(database, sql, (statement) => {
      const found: Row[] = [];
      let size = 0;
      for (statement.bindInt(1, after); size < PAGE_BYTES && statement.step(); ) {
        const isText = statement.columnInt(1) === 1 && statement.columnType(2) === 'text';
        const isBytes = statement.columnInt(3) === 1 && statement.columnType(4) !== 'null';
        const value = isBytes ? statement.columnBlob(4) : undefined;
        size += value?.length ?? 0;
        found.push({
          rowid: statement.columnInt(0),
          key: isText ? textOf(statement.columnBlob(2)) : undefined,
          value,
        });
      }
      return found;
    });
    const last = rows.at(-1);
    if (last === undefined) {
      return;
    }
    assertOnward(table, last.rowid > after);
    yield* rows;
    after = last.rowid;
  }
}

/** Yields the valid entries of a table, by key. Holds them in memory, so use it only for the small tables. */
export function* validRows(
  database: SqlDatabase,
  table: string,
  isEntry: IsEntry,
): Generator<[key: string, value: Bytes]> {
  const entries: [string, Bytes][] = [];
  for (const { key, value } of rowsOf(database, table, ROW, 'true')) {
    if (key !== undefined && value !== undefined && isEntry(key, value)) {
      entries.push([key, value]);
    }
  }
  yield* entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

const SMALL_TABLES: readonly {
  readonly name: 'commits' | 'meta' | 'refs';
  readonly what: string;
  readonly isEntry: IsEntry;
}[] = [
  { name: 'commits', what: 'a rev and a CID', isEntry: (key, value) => isTid(key) && isCidText(value) },
  { name: 'meta', what: 'a name and a text', isEntry: (_, value) => textOf(value) !== undefined },
  { name: 'refs', what: 'a name and a CID', isEntry: (_, value) => isCidText(value) },
];

/**
 * Yields every invalid row. A block whose bytes do not match its CID is not one of them: it is a damaged block. The
 * caller may remove a row before it asks for the next one.
 */
export function* invalidRows(database: SqlDatabase, prefix: TablePrefix): Generator<InvalidRow> {
  const invalid = (table: string, { rowid, key }: Row, what: string): InvalidRow => ({
    table,
    rowid,
    message: `invalid row: not ${what}; table=${table} rowid=${rowid} key=${key === undefined ? '(not a text)' : key.slice(0, 80)}`,
  });
  const blocks = `${prefix}blocks`;
  for (const row of rowsOf(database, blocks, KEY_OF_ROW, `(key is null or not (${IS_CID_KEY}))`)) {
    yield invalid(blocks, row, 'a CID and a block');
  }
  for (const { name, what, isEntry } of SMALL_TABLES) {
    const table = `${prefix}${name}`;
    for (const row of rowsOf(database, table, ROW, 'true')) {
      if (row.key === undefined || row.value === undefined || !isEntry(row.key, row.value)) {
        yield invalid(table, row, what);
      }
    }
  }
}

export const removeRows = (database: SqlDatabase, rows: Iterable<InvalidRow>): void => {
  for (const { table, rowid } of rows) {
    withStatement(database, `delete from ${table} where rowid = ?1`, (statement) => {
      statement.bindInt(1, rowid);
      statement.step();
    });
  }
};
