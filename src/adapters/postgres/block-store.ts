/** The blocks, refs, meta values and commits of one repository in PostgreSQL. */
import { cidEquals } from '../../core/data/cid.ts';
import type { CacheBudget } from '../../core/blocks/cid-cache.ts';
import { ChangeQueue } from '../../core/storage/change-queue.ts';
import { CheckedReader, checkedList } from '../../core/storage/checked-reader.ts';
import { PendingChange } from '../../core/storage/pending-change.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import type { BlockChange, BlockStore, StoreMaintenance } from '../../core/storage/ports.ts';
import { RepoError } from '../../core/errors.ts';
import type { HeadMove } from '../../core/repo/read/other-heads.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import { ChangeTables } from './change-tables.ts';
import type { NoticeTarget } from './head-notices.ts';
import type { PolledHeads } from './head-poller.ts';
import { HeadTables } from './head-tables.ts';
import type { Preload } from './preload.ts';
import { preloadOf, preloadStatement } from './preload.ts';
import { scanBlocks } from './scan-blocks.ts';
import type { TableNames } from './schema.ts';
import type { SqlClient, SqlSession } from './sql-client.ts';
import { withSqlErrors } from './sql-errors.ts';
import type { RepoRow, Transaction, TransactionLimits } from './transaction.ts';
import { beginTransaction } from './transaction.ts';

export interface PostgresBlockStoreOptions {
  /** Where changes tell other processes of new heads. Default: nowhere. */
  readonly notice?: NoticeTarget | undefined;
  /** Bounds the bytes of preloaded blocks. Default: no bound but their number. */
  readonly budget?: CacheBudget | undefined;
  /** Told of the changes of this owner. Default: nobody. */
  readonly heads?: Pick<PolledHeads, 'begin'> | undefined;
  /** The session of reads outside of changes. Default: the client. */
  readonly reads?: SqlSession | undefined;
  /** Called after each change, also after one that has failed. */
  readonly afterChange?: (() => void) | undefined;
  /** Called when the store has closed. */
  readonly onClose?: (() => void) | undefined;
}

/**
 * Returns what PostgreSQL offers for one repository. It has no file of its own to check, measure, copy or shrink, and
 * constraints refuse invalid rows.
 */
const maintenanceOf = (
  { copyOut }: SqlClient,
  names: TableNames,
  { id }: RepoRow,
  tables: HeadTables,
  check: () => void,
): StoreMaintenance | undefined =>
  copyOut && {
    async scan(maxBytes) {
      check();
      if (maxBytes !== Infinity && tables.isSmall) {
        // Its blocks came with the head.
        return undefined;
      }
      // A block that is missing now must not be found in memory afterwards.
      tables.forget();
      const isWanted =
        maxBytes === Infinity ? undefined : async (): Promise<boolean> => (await tables.blockBytes()) <= maxBytes;
      const pages = await scanBlocks(copyOut, names, id, isWanted);
      return pages && checkedList(() => pages, check);
    },
  };

/**
 * A block store over PostgreSQL, which several processes can have open. A change holds one connection, and reads
 * outside of changes never wait for it. Each read of the head asks the database. The first one also reads the blocks of
 * a small repository, which wait in memory until they are used.
 *
 * A change whose statement fails is rolled back, and the store stays usable: the next change reads what is stored.
 */
export class PostgresBlockStore extends CheckedReader implements BlockStore {
  readonly exclusive = false;
  readonly maintenance: StoreMaintenance | undefined;
  readonly #client: SqlClient;
  readonly #names: TableNames;
  readonly #row: RepoRow;
  readonly #limits: TransactionLimits;
  readonly #tables: HeadTables;
  readonly #queue: ChangeQueue = new ChangeQueue();
  readonly #options: PostgresBlockStoreOptions;
  #closing: Promise<void> | undefined;

  /** The client stays open after `close`, because many stores share it. */
  constructor(
    client: SqlClient,
    names: TableNames,
    row: RepoRow,
    limits: TransactionLimits,
    options: PostgresBlockStoreOptions = {},
  ) {
    const session = withSqlErrors(options.reads ?? client, `reading the repository of ${row.did}`);
    const tables = new HeadTables(session, names, row.id, options.budget);
    super(tables, () => this.#assertOpen());
    this.#client = client;
    this.#names = names;
    this.#row = row;
    this.#limits = limits;
    this.#tables = tables;
    this.#options = options;
    const check = (): void => this.#assertOpen();
    this.maintenance = maintenanceOf(client, names, row, tables, check);
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#tables.count();
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#queue.run(() => this.#change(run));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#queue.idle().then(() => {
      this.#tables.forget();
      this.#options.onClose?.();
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const end = this.#options.heads?.begin();
    let move: HeadMove | undefined;
    try {
      return await this.#transaction(run, (made) => (move = made));
    } finally {
      this.#options.afterChange?.();
      end?.(move);
    }
  }

  /** @param onMove Called after the commit of a new head. */
  async #transaction<T>(run: (change: BlockChange) => Promise<T>, onMove: (move: HeadMove) => void): Promise<T> {
    const { transaction, preload } = await this.#begin();
    const tables = new ChangeTables(transaction, this.#names, this.#row.id, preload);
    const change = new PendingChange(tables);
    let result: T;
    let last: string | undefined;
    try {
      try {
        result = await run(change);
        await change.awaitPuts();
      } finally {
        change.end();
      }
      await transaction.assertSound();
      last = await tables.apply(change.pending, this.#options.notice);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await transaction.commit(() => this.#isStored(change.pending), last);
    this.#tables.changed(preload, change.pending);
    const after = change.pending.refs.get(MAIN);
    if (after !== undefined) {
      onMove({ before: preload.head, after });
    }
    return result;
  }

  async #begin(): Promise<{ readonly transaction: Transaction; readonly preload: Preload }> {
    const tables = this.#tables;
    const { id } = this.#row;
    const options = tables.preloadOfChange();
    const statement = preloadStatement(this.#names, id, options);
    const transaction = await beginTransaction(this.#client, this.#names, this.#row, this.#limits, statement);
    try {
      const preload = preloadOf(transaction.preloaded);
      if (options.nodes || cidEquals(preload.head, options.known)) {
        return { transaction, preload };
      }
      const moved = { ...options, nodes: true, forWrite: false };
      const { blocks } = preloadOf(await transaction.query(preloadStatement(this.#names, id, moved)));
      return { transaction, preload: { ...preload, blocks } };
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  /** Returns whether a write of a change is stored, or `undefined` if it wrote nothing that can be compared. */
  async #isStored({ commits, meta, refs }: PendingWrites): Promise<boolean | undefined> {
    // A commit has a rev of its own, so it is asked for first. Another change may have replaced the other values.
    for (const [rev, cid] of commits) {
      return cidEquals(await this.#tables.commit(rev), cid);
    }
    for (const [name, cid] of refs) {
      return cidEquals(await this.#tables.ref(name), cid);
    }
    for (const [name, value] of meta) {
      return (await this.#tables.meta(name)) === value;
    }
    return undefined;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the block store is closed: open it again to use it; did=${this.#row.did}`);
    }
  }
}
