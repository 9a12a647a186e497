/**
 * Rows of the four tables that are not entries of their table, and reads that pass over them. A person with an SQLite
 * shell leaves such rows, and so do disks; ordinary reads fail at the first.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { cidTextToBytes } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { isTid } from '../../core/syntax/tid.ts';
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
  // In letters, which SQLite counts and compares as far as the first that is zero, and in bytes.
  'length(key) = 59',
  'length(cast(key as blob)) = 59',
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
  /** `undefined` when it is no text. */
  readonly key: string | undefined;
  /** `undefined` when it is neither a blob nor a text. */
  readonly value: Bytes | undefined;
}

/** All rows of a table, by rowid. */
function* rowsOf(database: SqlDatabase, table: string): Generator<Row> {
  const columns = `rowid, typeof(key) = 'text', key, typeof(value) in ('blob', 'text'), value`;
  const sql = `select ${columns} from ${table} where rowid > ?1 order by rowid limit ${PAGE_ROWS}`;
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = withStatement(database, sql, (statement) => {
      const found: Row[] = [];
      for (statement.bindInt(1, after); statement.step(); ) {
        found.push({
          rowid: statement.columnInt(0),
          key: statement.columnInt(1) === 1 ? textOf(statement.columnBlob(2)) : undefined,
          value: statement.columnInt(3) === 1 ? statement.columnBlob(4) : undefined,
        });
      }
      return found;
    });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) {
      return;
    }
    assertOnward(table, last.rowid > after);
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
  for (const { key, value } of rowsOf(database, table)) {
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
 * Returns every invalid row. A block whose key is a CID and whose bytes are others is not one of them: it is a damaged
 * block, and its CID names it.
 */
export const invalidRows = (database: SqlDatabase, prefix: TablePrefix): InvalidRow[] => {
  const invalid: InvalidRow[] = [];
  const add = (table: string, rowid: number, key: string | undefined, what: string): void => {
    const message = `a row that is ${what}; table=${table} rowid=${rowid} key=${key === undefined ? '(no text)' : key.slice(0, 80)}`;
    invalid.push({ table, rowid, message });
  };
  const blocks = `${prefix}blocks`;
  withStatement(
    database,
    `select rowid, typeof(key) = 'text', key from ${blocks} where key is null or not (${IS_CID_KEY})`,
    (statement) => {
      while (statement.step()) {
        const key = statement.columnInt(1) === 1 ? textOf(statement.columnBlob(2)) : undefined;
        add(blocks, statement.columnInt(0), key, 'no block of a CID');
      }
    },
  );
  for (const { name, what, isEntry } of SMALL_TABLES) {
    const table = `${prefix}${name}`;
    for (const { rowid, key, value } of rowsOf(database, table)) {
      if (key === undefined || value === undefined || !isEntry(key, value)) {
        add(table, rowid, key, what);
      }
    }
  }
  return invalid;
};

export const removeRows = (database: SqlDatabase, rows: readonly InvalidRow[]): void => {
  for (const { table, rowid } of rows) {
    withStatement(database, `delete from ${table} where rowid = ?1`, (statement) => {
      statement.bindInt(1, rowid);
      statement.step();
    });
  }
};
