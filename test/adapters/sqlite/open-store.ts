/** Stores over a database, and test data. */
import { createSqliteBlockStore, openSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import type { SqliteBlockStore } from '../../../src/adapters/sqlite/block-store.ts';
import type { BlockStore } from '../../../src/core/storage/ports.ts';
import { blockOf, blocksOf, put, revOf } from '../../../src/testing/storage/block-store-harness.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';
import { openDatabase } from './open-database.ts';

export const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';

export const createStore = async (files: DatabaseFiles): Promise<SqliteBlockStore> =>
  createSqliteBlockStore(await openDatabase(files), files, DID);

export const openStore = async (files: DatabaseFiles): Promise<SqliteBlockStore> =>
  openSqliteBlockStore(await openDatabase(files), files);

/** 500 blocks. The first is the head. */
export const fill = async (store: BlockStore): Promise<void> => {
  await put(store, blocksOf(500));
  await store.transact(async (change) => {
    await change.setRef('main', blockOf(0).cid);
    await change.setMeta('message', 'first');
    await change.addCommit(revOf(1), blockOf(0).cid);
  });
};
