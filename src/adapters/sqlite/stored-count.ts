/** The number of blocks as a meta value, with the state of the tables that it belongs to. */
import { isRepoError } from '../../core/errors.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import type { KeyValueTable } from './key-value-table.ts';
import type { SqlDatabase, SqlStatement } from './sql-database.ts';

/** The meta key. The store hides it: it is not an entry of the repository. */
export const BLOCK_COUNT = 'pdsdb:blocks';

/** Damage is reported where the rows are needed. The number is only unknown then. */
const unlessCorrupt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (isRepoError(error, 'Corrupt')) {
      return undefined;
    }
    throw error;
  }
};

/** Returns a value for a comparison. It may be damaged, or missing. */
const textAt = (table: KeyValueTable, key: string): string => {
  const value = unlessCorrupt(() => table.get(key));
  return value === undefined ? '' : new TextDecoder().decode(value);
};

export class StoredCount {
  readonly #database: SqlDatabase;
  readonly #tables: Readonly<Record<'blocks' | 'meta' | 'refs', KeyValueTable>>;
  #lastRowid: SqlStatement | undefined;
  /** The value as this object wrote it last. */
  #written: string | undefined;

  constructor(database: SqlDatabase, tables: Readonly<Record<'blocks' | 'meta' | 'refs', KeyValueTable>>) {
    this.#database = database;
    this.#tables = tables;
  }

  /** Returns the number if it belongs to the present state, or if there are no blocks. */
  read(): number | undefined {
    const newest = this.#newestRow();
    if (newest === 0) {
      return 0;
    }
    const [, count, state] = /^(\d{1,15}) (.*)$/.exec(textAt(this.#tables.meta, BLOCK_COUNT)) ?? [];
    return newest !== undefined && state === this.#stateAt(newest) ? Number(count) : undefined;
  }

  /** Part of a change, after its other rows. Removes the value if the number is not known. */
  write(count: number | undefined): void {
    const newest = count === undefined ? undefined : this.#newestRow();
    if (newest === undefined) {
      this.#tables.meta.delete(BLOCK_COUNT);
      this.#written = undefined;
      return;
    }
    const value = `${count} ${this.#stateAt(newest)}`;
    if (value !== this.#written) {
      this.#tables.meta.put(BLOCK_COUNT, new TextEncoder().encode(value));
      this.#written = value;
    }
  }

  /** Call when a change was rolled back. */
  undo(): void {
    this.#written = undefined;
  }

  /** Finalizes the statement. The next use prepares it again. */
  release(): void {
    this.#lastRowid?.finalize();
    this.#lastRowid = undefined;
  }

  /** A program that adds blocks or moves the head changes the state. */
  #stateAt(newest: number): string {
    return `${newest} ${textAt(this.#tables.refs, MAIN)}`;
  }

  /** Returns the rowid of the newest block, or 0 without blocks; `undefined` if the table is damaged there. */
  #newestRow(): number | undefined {
    return unlessCorrupt(() => {
      this.#lastRowid ??= this.#database.prepare(`select max(rowid) from ${this.#tables.blocks.name}`);
      try {
        this.#lastRowid.step();
        return this.#lastRowid.columnInt(0);
      } finally {
        this.#lastRowid.reset();
      }
    });
  }
}
