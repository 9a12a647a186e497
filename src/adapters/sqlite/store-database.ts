/** The port of the block store: what it needs of an SQL database. `Database` of `src/wasm` has it. */
import type { StorageSpace } from '../../core/storage/ports.ts';
import type { LoggedDatabase } from './checkpointer.ts';
import type { SchemaDatabase } from './schema.ts';

export interface StoreDatabase extends SchemaDatabase, LoggedDatabase {
  readonly inTransaction: boolean;
  begin(): void;
  /** Has the transaction that has begun, and has written nothing yet, write each page once, and no log. */
  bypassLog(): void;
  commit(): void;
  rollback(): void;
  /** Whether the main file now stays as it is until `thaw`. */
  freeze(): boolean;
  thaw(): void;
  /** In bytes, without the WAL. */
  readonly space: StorageSpace;
  /** Cuts free pages off the file and empties the WAL. Does nothing while frozen. */
  shrink(): void;
  /** Writes the whole database anew. Finalizes all statements. */
  rewrite(): void;
  /** One sentence per fault, of all tables or only of these. */
  integrityCheck(tables?: readonly string[]): readonly string[];
  /** Closes without another write. */
  abandon(): void;
  /** Leaves everything in the main file. */
  close(): void;
}
