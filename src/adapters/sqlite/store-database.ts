/** The port of the block store: what it needs of an SQL database. `Database` of `src/wasm` implements it. */
import type { StorageSpace } from '../../core/storage/ports.ts';
import type { LoggedDatabase } from './checkpointer.ts';
import type { SchemaDatabase } from './schema.ts';

export interface StoreDatabase extends SchemaDatabase, LoggedDatabase {
  readonly inTransaction: boolean;
  begin(): void;
  /** Bypasses the WAL in the current transaction, which must not have written yet. Each page is then written once. */
  bypassLog(): void;
  commit(): void;
  rollback(): void;
  /** Keeps the main file unchanged until `thaw`. Returns `false` if it cannot. */
  freeze(): boolean;
  thaw(): void;
  /** In bytes, without the WAL. */
  readonly space: StorageSpace;
  /** Truncates free pages from the file and empties the WAL. Does nothing while frozen. */
  shrink(): void;
  /** Rewrites the whole database. Finalizes all statements. */
  rewrite(): void;
  /** Returns one sentence per fault, of all tables or of `tables`. */
  integrityCheck(tables?: readonly string[]): readonly string[];
  /** Closes without writing. */
  abandon(): void;
  /** Checkpoints the WAL and closes. */
  close(): void;
}
