/** The optional capability `maintenance` over SQLite: reads without invalid rows, check, scan, snapshot and shrink. */
import { BoundedList } from '../../core/data/bounded-list.ts';
import { PackedBlocks } from '../../core/blocks/packed-blocks.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import { CID_LENGTH, cidTextToBytes, parseCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { MAX_STORED_VALUE } from '../../core/storage/layout.ts';
import { checkedList } from '../../core/storage/checked-reader.ts';
import type { ReaderSource } from '../../core/storage/checked-reader.ts';
import type { PendingChange } from '../../core/storage/pending-change.ts';
import { listsAfter } from '../../core/storage/pending-reads.ts';
import type {
  ChangeMaintenance,
  InvalidRows,
  LenientReader,
  StoreMaintenance,
  StoreSnapshot,
} from '../../core/storage/ports.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { isTid } from '../../core/syntax/tid.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { cidKeys, invalidRows, isCidText, removeRows, validRows } from './invalid-rows.ts';
import { MAX_STORED_KEY } from './stored-length.ts';
import type { TablePrefix } from './schema.ts';
import { takeSnapshot } from './snapshot.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';
import type { StoreDatabase } from './store-database.ts';
import { readCid, type StoreTables } from './store-tables.ts';

/** What maintenance needs of a store. */
export interface MaintainedStore {
  readonly database: StoreDatabase;
  readonly files: DatabaseFiles;
  readonly tables: StoreTables;
  readonly prefix: TablePrefix;
  /** Tables, indexes and views in the database that are not part of the repository. */
  readonly others: readonly string[];
  fileSize(): number;
  /** Makes written pages durable, on platforms where a flush does not. */
  persist(): Promise<void>;
  /** Notes why a write failed. After `StorageFailed` every call of the store rejects. */
  failed(error: unknown): void;
  /** Runs work between two changes. */
  betweenChanges<T>(work: () => Promise<T>): Promise<T>;
}

type LenientSource = Pick<ReaderSource, 'cids' | 'commits' | 'refs'>;

const isRefRow = (_key: string, value: Uint8Array): boolean => isCidText(value);
const isCommitRow = (key: string, value: Uint8Array): boolean => isTid(key) && isCidText(value);

/** Reads the tables without their invalid rows. */
const lenientReads = ({ database, tables }: MaintainedStore): LenientSource => ({
  *refs() {
    for (const [name, value] of validRows(database, tables.table.refs.name, isRefRow)) {
      yield [name, readCid(tables.table.refs, name, value)];
    }
  },
  *commits({ after, before, reverse = false } = {}) {
    const rows = [...validRows(database, tables.table.commits.name, isCommitRow)].filter(
      ([rev]) => (after === undefined || rev > after) && (before === undefined || rev < before),
    );
    for (const [rev, value] of reverse ? rows.reverse() : rows) {
      yield [rev as Tid, readCid(tables.table.commits, rev, value)];
    }
  },
  *cids() {
    for (const key of cidKeys(database, tables.table.blocks.name)) {
      yield parseCid(key);
    }
  },
});

const describeRows = ({ database, prefix }: MaintainedStore): InvalidRows => {
  const rows = new BoundedList<string>();
  for (const { message } of invalidRows(database, prefix)) {
    rows.add(message);
  }
  return { messages: rows.items, count: rows.count };
};

const lenientReader = (store: MaintainedStore, source: LenientSource, check: () => void): LenientReader => ({
  refs: () => checkedList(() => source.refs(), check),
  commits: (range) => checkedList(() => source.commits(range), check),
  cids: () => checkedList(() => source.cids(), check),
  async invalidRows() {
    check();
    return describeRows(store);
  },
});

/** SQLite has all capabilities. */
export type FullMaintenance = Required<StoreMaintenance>;

/** @param check Throws if the store cannot be used. */
export const createMaintenance = (store: MaintainedStore, check: () => void): FullMaintenance => {
  const { database, files, tables } = store;
  let isFrozen = false;
  return {
    ...lenientReader(store, lenientReads(store), check),
    async check() {
      check();
      // Only our tables, because SQLite would run the checks and index expressions of the others.
      const ours = Object.values(tables.table).map(({ name }) => name);
      const faults = database.integrityCheck(store.others.length === 0 ? undefined : ours);
      if (faults.length === 0) {
        // The check has read all rows, so that counting them takes little more.
        tables.blockCount.exact();
      }
      return faults;
    },
    async scan(maxBytes) {
      check();
      return store.fileSize() > maxBytes ? undefined : checkedList(() => scanBlocks(store), check);
    },
    async snapshot(): Promise<StoreSnapshot> {
      check();
      return store.betweenChanges(async () => {
        check();
        if (isFrozen) {
          throw new RepoError(
            'Locked',
            'another backup of the repository is running: wait for its end, then try again',
          );
        }
        const refs = new Map<string, CID>(tables.refs());
        const counts = { blocks: tables.blockCount.exact(), commits: tables.table.commits.count() };
        isFrozen = true;
        const { file, release } = takeSnapshot(database, files, () => (isFrozen = false));
        return { files: [file], refs, ...counts, release };
      });
    },
    async space() {
      check();
      return store.others.length === 0 ? database.space : { ...database.space, others: store.others };
    },
    async shrink({ compact }) {
      check();
      return store.betweenChanges(async () => {
        check();
        if (isFrozen && compact) {
          throw new RepoError('Locked', 'a backup of the repository is running: wait for its end, then compact');
        }
        const before = database.space.size;
        try {
          database.shrink();
          if (compact) {
            tables.release();
            database.rewrite();
          }
        } catch (error) {
          store.failed(error);
          throw error;
        }
        await store.persist();
        return Math.max(0, before - database.space.size);
      });
    },
  };
};

/** Rows that are read in one synchronous step, so that no statement is open while a change writes. */
const PAGE_ROWS = 256;
/** A page ends early at this many bytes: 256 of the largest blocks take half a gigabyte. */
const PAGE_BYTES = 1024 * 1024;
const FIRST_SIZE = 64 * 1024;

/** A page of rows in one buffer. One buffer per value would load the garbage collector. */
class ScannedRows {
  /** Offsets: where each key begins, where its value begins (directly after the key), and where the value ends. */
  readonly keys: number[] = [];
  readonly values: number[] = [];
  readonly ends: number[] = [];
  #memory: Bytes = new Uint8Array(FIRST_SIZE);
  #size = 0;

  get memory(): Bytes {
    return this.#memory;
  }

  /** Whether the page is complete. */
  get isFull(): boolean {
    return this.keys.length === PAGE_ROWS || this.#size >= PAGE_BYTES;
  }

  /** Adds the current row of a statement. */
  add(statement: SqlStatement, key: number, value: number): void {
    this.keys.push(this.#size);
    this.#append(statement, key);
    this.values.push(this.#size);
    this.#append(statement, value);
    this.ends.push(this.#size);
  }

  #append(statement: SqlStatement, column: number): void {
    const end = this.#size + statement.columnSize(column);
    if (end > this.#memory.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#memory.length));
      larger.set(this.#memory.subarray(0, this.#size));
      this.#memory = larger;
    }
    statement.columnInto(column, this.#memory, this.#size);
    this.#size = end;
  }
}

/**
 * Yields rows in storage order, which is the fastest because it needs no index look-up per row. Rows that are added
 * meanwhile may be included. Rows that are too long are skipped. Keys are the stored UTF-8, unchecked.
 */
function* scanRows(database: SqlDatabase, table: string): Generator<ScannedRows> {
  const isRead = `octet_length(key) <= ${MAX_STORED_KEY} and octet_length(value) <= ${MAX_STORED_VALUE}`;
  const sql = `select rowid, key, value from ${table} where rowid > ? and ${isRead} order by rowid limit ${PAGE_ROWS}`;
  for (let last = 0, hasMore = true; hasMore; ) {
    const rows = new ScannedRows();
    // Prepared per page, so that no statement is open while the database is rewritten. Rows keep their rowids then.
    const statement = database.prepare(sql);
    try {
      statement.bindInt(1, last);
      while (!rows.isFull && statement.step()) {
        last = statement.columnInt(0);
        rows.add(statement, 1, 2);
      }
      hasMore = rows.isFull;
    } finally {
      statement.finalize();
    }
    yield rows;
  }
}

/** Yields blocks in storage order. */
function* scanBlocks({ database, tables }: MaintainedStore): Generator<PackedBlocks> {
  for (const { memory, keys, values, ends } of scanRows(database, tables.table.blocks.name)) {
    const blocks = new PackedBlocks(memory);
    for (let i = 0; i < keys.length; i++) {
      const start = values[i]!;
      const cid = cidTextToBytes(memory.subarray(keys[i], start));
      if (cid !== undefined) {
        // Overwrites the end of the CID's text, which is longer than its bytes.
        memory.set(cid, start - CID_LENGTH);
        blocks.push(start, ends[i]!);
      }
    }
    yield blocks;
  }
}

/** How a change writes: `expect` announces a bulk write, and `write` runs a function that writes to the database. */
export interface ChangeWrites {
  expect(bytes: number): void;
  write(run: () => void): void;
}

export const createChangeMaintenance = (
  store: MaintainedStore,
  change: PendingChange,
  { expect, write }: ChangeWrites,
): ChangeMaintenance => {
  const check = (): void => change.assertRunning();
  return {
    ...lenientReader(store, listsAfter(lenientReads(store), change.pending), check),
    async expect(bytes) {
      check();
      expect(bytes);
    },
    async removeInvalidRows() {
      check();
      // Before the rows of this change are written, because a row may have the key of an invalid one.
      write(() => {
        removeRows(store.database, invalidRows(store.database, store.prefix));
        store.tables.forget();
      });
    },
  };
};
