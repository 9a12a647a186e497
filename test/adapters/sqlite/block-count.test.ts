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

  /** Counts how often SQLite counts the rows. */
  const openCounting = async (files: MemoryFiles) => {
    const database = await openDatabase(files);
    const counted = { times: 0 };
    const prepare = database.prepare.bind(database);
    database.prepare = (sql) => {
      counted.times += Number(sql.includes('count(*) from blocks'));
      return prepare(sql);
    };
    return { store: await openSqliteBlockStore(database, files), counted };
  };

  /** Edits the file as another program does, without the store. */
  const edited = async (files: MemoryFiles, sql: string): Promise<MemoryFiles> => {
    const database = await openDatabase(files);
    database.exec(sql);
    database.close();
    return files.reopened();
  };

  const written = async (): Promise<MemoryFiles> => {
    const files = new MemoryFiles();
    const store = await create(files);
    await store.transact(async (change) => {
      await change.put(blocks);
      await change.setRef('main', blocks[0]!.cid);
    });
    await store.close();
    return files.reopened();
  };

  test('is stored, so that an opening does not count', async () => {
    const { store, counted } = await openCounting(await written());
    expect(await store.count()).toBe(60);
    await store.transact((change) => change.remove(blocks.slice(0, 7).map(({ cid }) => cid)));
    expect(await store.count()).toBe(53);
    await store.transact((change) => change.put(blocks));
    expect(await store.count()).toBe(60);
    expect(counted.times).toBe(0);
    await store.close();
  });

  test.each([
    ['adds a block', `insert into blocks values ('bafy', x'00')`, 61],
    ['moves the head', `update refs set value = (select key from blocks limit 1 offset 9) where key = 'main'`, 60],
    ['removes the newest block', 'delete from blocks where rowid = (select max(rowid) from blocks)', 59],
    ['spoils the stored number', `update meta set value = cast('x' as blob) where key = 'pdsdb:blocks'`, 60],
    ['removes the stored number', `delete from meta where key = 'pdsdb:blocks'`, 60],
  ])('is counted once after another program %s', async (_what, sql, count) => {
    const files = await edited(await written(), sql);
    const { store, counted } = await openCounting(files);
    expect(await store.count()).toBe(count);
    expect(await store.count()).toBe(count);
    expect(counted.times).toBe(1);
    await store.transact((change) => change.setMeta('app:note', 'x'));
    await store.close();
    const later = await openCounting(files.reopened());
    expect(await later.store.count()).toBe(count);
    expect(later.counted.times).toBe(0);
    await later.store.close();
  });

  test('in a backup is counted, because a restored backup must have exactly that number', async () => {
    const files = await edited(await written(), 'delete from blocks where rowid = 3');
    const { store, counted } = await openCounting(files);
    const snapshot = await store.maintenance.snapshot();
    expect(snapshot.blocks).toBe(59);
    snapshot.release();
    expect(await store.count()).toBe(59);
    expect(counted.times).toBe(1);
    await store.close();
  });

  test('is corrected by a check of the storage', async () => {
    const files = await edited(await written(), 'delete from blocks where rowid = 3');
    const { store } = await openCounting(files);
    expect(await store.maintenance.check()).toEqual([]);
    expect(await store.count()).toBe(59);
    await store.close();
  });

  test.each([
    ['the stored number is not a blob', `update meta set value = 7 where key = 'pdsdb:blocks'`],
    ['the head is not a blob', `update refs set value = 7 where key = 'main'`],
  ])('is counted, and changes succeed, if %s', async (_what, sql) => {
    const { store } = await openCounting(await edited(await written(), sql));
    expect(await store.count()).toBe(60);
    await store.transact((change) => change.remove([blocks[3]!.cid]));
    expect(await store.count()).toBe(59);
    await store.close();
  });

  test('does not hide what a check of a damaged file finds', async () => {
    const database = await openDatabase(await written());
    const files = (await written()).reopened();
    const statement = database.prepare(`select rootpage from sqlite_schema where name = 'sqlite_autoindex_blocks_1'`);
    statement.step();
    // The number of entries of the index.
    files.main.write(new Uint8Array([0xff, 0xff]), { at: 4096 * (statement.columnInt(0) - 1) + 3 });
    statement.finalize();
    database.close();
    const store = await open(files);
    expect(await store.maintenance.check()).toEqual([expect.stringMatching(/malformed|index|page/i)]);
    await store.close();
  });

  test('is not an entry of the meta values', async () => {
    const store = await open(await written());
    expect(await store.meta('pdsdb:blocks')).toBe(undefined);
    expect((await listOf(store.metaEntries())).map(([name]) => name)).toEqual(['did', 'version']);
    expect(await listOf(store.metaEntries('pdsdb:'))).toEqual([]);
    await store.close();
  });
});
