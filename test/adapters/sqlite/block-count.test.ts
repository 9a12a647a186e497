/** The number of blocks is right after any change, and is counted once. */
import { describe, expect, test } from 'vitest';
import type { SqliteBlockStore } from '../../../src/adapters/sqlite/block-store.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { blocksOf } from '../../../src/testing/storage/block-store-harness.ts';
import { seeded } from '../../random/seeded.ts';
import { openDatabase } from './open-database.ts';
import { DID } from './open-store.ts';

const create = async (files: MemoryFiles) => createSqliteBlockStore(await openDatabase(files), files, DID);
const open = async (files: MemoryFiles) => openSqliteBlockStore(await openDatabase(files), files);
const blocks = blocksOf(60);
const list = async (store: SqliteBlockStore) => (await listOf(store.cids())).length;

describe('the number of blocks', () => {
  test.each([1, 2, 3])('is right after any sequence of changes and openings (seed %i)', async (seed) => {
    const random = seeded(seed);
    const below = (count: number): number => Math.floor(random() * count);
    let files = new MemoryFiles();
    let store = await create(files);
    for (let i = 0; i < 200; i++) {
      const some = blocks.filter(() => random() < 0.1);
      const fails = below(4) === 0;
      await store
        .transact(async (change) => {
          await change.put(some.slice(0, 3));
          if (below(3) === 0) {
            expect(await store.count()).toBe(await list(store));
          }
          await change.remove(some.slice(3).map(({ cid }) => cid));
          if (below(20) === 0) {
            await change.maintenance!.removeInvalidRows();
          }
          if (fails) {
            throw new Error('stop');
          }
        })
        .catch((error: Error) => expect(error.message).toBe('stop'));
      if (below(10) === 0) {
        await store.close();
        files = files.reopened();
        store = await open(files);
      }
      expect(await store.count()).toBe(await list(store));
    }
    await store.close();
  });

  test('is counted once per opening', async () => {
    const files = new MemoryFiles();
    const first = await create(files);
    await first.transact((change) => change.put(blocks));
    await first.close();
    const reopened = files.reopened();
    const database = await openDatabase(reopened);
    let counts = 0;
    const prepare = database.prepare.bind(database);
    database.prepare = (sql) => {
      counts += Number(sql.includes('count(*)'));
      return prepare(sql);
    };
    const store = await openSqliteBlockStore(database, reopened);
    await store.transact((change) => change.remove(blocks.slice(0, 7).map(({ cid }) => cid)));
    expect(await store.count()).toBe(53);
    await store.transact((change) => change.put(blocks));
    expect(await store.count()).toBe(60);
    expect(counts).toBe(1);
    await store.close();
  });
});
