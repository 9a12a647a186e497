/**
 * Rows of the four tables that are not entries of their table, and reads that pass over them. A person with an SQLite
 * shell leaves such rows, and so do disks; ordinary reads fail at the first.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { cidTextToBytes } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { ofLength } from './key-value-table.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';
import type { TablePrefix } from './schema.ts';

/** A row that is not an entry of its table. */
export interface InvalidRow {
  readonly table: string;
  readonly rowid: number;
  /** One sentence. */
  readonly message: string;
}

/** Rows that are read in one go, so that no statement is under way while somebody else changes the table. */
const PAGE_ROWS = 256;

/** The texts of our CIDs, to the two bits at their end that are zeros. */
const IS_CID_KEY = [
  `typeof(key) = 'text'`,
  // First, for it reads no more of a long key than its length.
  'octet_length(key) = 59',
  // In letters, too, which SQLite counts and compares as far as the first that is zero.
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
    // What is not UTF-8 is no text, which is the answer.
    return undefined;
  }
};

/** Whether a value is the text of a CID. */
export const isCidText = (value: Uint8Array): boolean => {
  const text = textOf(value);
  return text !== undefined && cidTextToBytes(text) !== undefined;
};

/** Whether a row whose key is a text, and whose value is a blob or a text, is an entry of its table. */
type IsEntry = (key: string, value: Bytes) => boolean;

const withStatement = <T>(database: SqlDatabase, sql: string, use: (statement: SqlStatement) => T): T => {
  const statement = database.prepare(sql);
  try {
    return use(statement);
  } finally {
    statement.finalize();
  }
};

/** A page of a damaged file may lead back to itself: a list that does not go on would go on for ever. */
const assertOnward = (table: string, isOnward: boolean): void => {
  if (!isOnward) {
    throw new RepoError('Corrupt', `rows that are not in order; table=${table}`);
  }
};

/** The keys of a table of blocks that are CIDs, in order. */
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
  /** `undefined` when it is no text, or is too long. */
  readonly key: string | undefined;
  /** `undefined` when it is neither a blob nor a text, or is too long. */
  readonly value: Bytes | undefined;
}

/** Bytes of values at which a page of rows ends early. */
const PAGE_BYTES = 1024 * 1024;

const ROW = `rowid, typeof(key) = 'text', ${ofLength('key')}, typeof(value) in ('blob', 'text'), ${ofLength('value')}`;
/** Of a block, only the key: its value is for others to check. */
const KEY_OF_ROW = `rowid, typeof(key) = 'text', ${ofLength('key')}, 0, null`;

/** The rows of a table of which a condition in SQL is true, by rowid. Between them the table may change. */
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

/** The rows of a table that are entries, by key. Holds them in memory: for tables of names, not for blocks. */
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
  { name: 'commits', what: 'no rev and CID', isEntry: (key, value) => isTid(key) && isCidText(value) },
  { name: 'meta', what: 'no text', isEntry: (_, value) => textOf(value) !== undefined },
  { name: 'refs', what: 'no name and CID', isEntry: (_, value) => isCidText(value) },
];

/**
 * Lists every invalid row. A block whose key is a CID and whose bytes are others is not one of them: it is a damaged
 * block, and its CID names it. A row that was listed may be removed before the next one is asked for.
 */
export function* invalidRows(database: SqlDatabase, prefix: TablePrefix): Generator<InvalidRow> {
  const invalid = (table: string, { rowid, key }: Row, what: string): InvalidRow => ({
    table,
    rowid,
    message: `a row that is ${what}; table=${table} rowid=${rowid} key=${key === undefined ? '(no text)' : key.slice(0, 80)}`,
  });
  const blocks = `${prefix}blocks`;
  for (const row of rowsOf(database, blocks, KEY_OF_ROW, `(key is null or not (${IS_CID_KEY}))`)) {
    yield invalid(blocks, row, 'no block of a CID');
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
