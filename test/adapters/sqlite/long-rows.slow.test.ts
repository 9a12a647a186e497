/** Rows that are too long: they are refused without being read, counted, and removed by a repair. */
import { describe, expect, test } from 'vitest';
import { MAX_STORED_VALUE } from '../../../src/core/storage/layout.ts';
import { MAX_REPORTED } from '../../../src/core/data/bounded-list.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import type { SqliteBlockStore } from '../../../src/adapters/sqlite/block-store.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { blockOf } from '../../../src/testing/storage/block-store-harness.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { openDatabase } from './open-database.ts';
import { createStore, DID, fill, openStore } from './open-store.ts';

const KEY = blockOf(9999).cid.toString();
const LONG = 20 * 1024 * 1024;

/** Returns a store with 500 blocks, after other SQL was run. */
const storeAfter = async (sql: string): Promise<{ files: MemoryFiles; store: SqliteBlockStore }> => {
  const files = new MemoryFiles();
  const store = await createStore(files);
  await fill(store);
  await store.close();
  const opened = files.reopened();
  const database = await openDatabase(opened);
  database.transaction(() => database.exec(sql));
  database.close();
  const last = opened.reopened();
  return { files: last, store: await openStore(last) };
};

/** Returns the number of bytes that are read meanwhile. */
const bytesRead = async (files: MemoryFiles, run: () => Promise<unknown>): Promise<number> => {
  const before = files.main.counts.bytesRead;
  await run();
  return files.main.counts.bytesRead - before;
};

const corrupt = expect.objectContaining({ code: 'Corrupt' });

describe('a block of 20 MiB', () => {
  const insert = `insert into blocks values ('${KEY}', zeroblob(${LONG}))`;

  test('is refused, and not read', async () => {
    const { files, store } = await storeAfter(insert);
    const read = await bytesRead(files, async () => {
      await expect(store.get(blockOf(9999).cid)).rejects.toThrow(
        expect.objectContaining({ code: 'Corrupt', message: expect.stringContaining(`a value has ${LONG} bytes`) }),
      );
      expect(await listOf(store.cids())).toHaveLength(501);
      for await (const blocks of (await store.maintenance.scan(Infinity))!) {
        expect(blocks.length).toBeLessThan(501);
      }
      expect(await store.maintenance.invalidRows()).toEqual({ count: 0, messages: [] });
    });
    expect(read).toBeLessThan(1024 * 1024);
    await store.close();
  });

  test('is a fault in verify, and a repair removes it', async () => {
    const { files, store } = await storeAfter(insert);
    const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
    const { faults } = await repo.verify();
    expect(faults.filter(({ cid }) => cid?.toString() === KEY)).toHaveLength(1);
    const { steps } = await repo.repair();
    expect(steps.filter(({ cid }) => cid?.toString() === KEY)).toMatchObject([{ action: 'dropBlock' }]);
    await repo.gc();
    expect(files.main.getSize()).toBeLessThan(LONG / 10);
    await repo.close();
  });
});

test.each([
  ['a ref', `insert into refs values ('long', zeroblob(${LONG}))`, (store: SqliteBlockStore) => store.ref('long')],
  [
    'a commit',
    `insert into commits values ('3k22222222222', zeroblob(${LONG}))`,
    (store: SqliteBlockStore) => listOf(store.commits()),
  ],
  [
    'a meta value',
    `insert into meta values ('long', zeroblob(${LONG}))`,
    (store: SqliteBlockStore) => listOf(store.metaEntries()),
  ],
  [
    'a text',
    `insert into meta values ('long', hex(zeroblob(${LONG / 2})))`,
    (store: SqliteBlockStore) => store.meta('long'),
  ],
  [
    'a name',
    `insert into refs values (hex(zeroblob(${LONG / 2})), 'x')`,
    (store: SqliteBlockStore) => listOf(store.refs()),
  ],
])('%s of 20 MiB is Corrupt, counted and not read', async (what, sql, use) => {
  const { files, store } = await storeAfter(sql);
  const read = await bytesRead(files, async () => {
    await expect(use(store)).rejects.toThrow(corrupt);
    expect(await store.maintenance.invalidRows()).toMatchObject({ count: 1 });
    await listOf(store.maintenance.refs());
    await listOf(store.maintenance.commits());
  });
  // The index may be searched past a long name, which compares it as a whole; nothing holds it.
  expect(read).toBeLessThan(what === 'a name' ? 1.1 * LONG : 1024 * 1024);
  await store.transact((change) => change.maintenance!.removeInvalidRows());
  expect(await store.maintenance.invalidRows()).toEqual({ count: 0, messages: [] });
  await store.close();
});

test('a block that is too long is not written', async () => {
  const store = await createStore(new MemoryFiles());
  const bytes = new Uint8Array(MAX_STORED_VALUE + 1);
  const { cid } = blockOf(1);
  await expect(store.transact((change) => change.put([{ cid, bytes }]))).rejects.toThrow(
    expect.objectContaining({ code: 'LimitExceeded' }),
  );
  await store.transact((change) => change.put([{ cid, bytes: bytes.subarray(1) }]));
  expect((await store.get(cid))!.length).toBe(MAX_STORED_VALUE);
  await store.close();
});

test('of 5,000 invalid rows, 1,000 are described, all are counted, and all are removed', async () => {
  const numbers = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)';
  const { store } = await storeAfter(
    `insert into blocks ${numbers} select 'no CID ' || i, x'00' from n;
     insert into refs ${numbers} select 'ref ' || i, 'no CID' from n`,
  );
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  const { count, messages } = await store.maintenance.invalidRows();
  expect([count, messages.length]).toEqual([5000, MAX_REPORTED]);
  expect((await repo.verify()).faultCount).toBeGreaterThanOrEqual(5000);
  const report = await repo.repair();
  expect(report.steps.filter(({ action }) => action === 'dropRow')).toHaveLength(MAX_REPORTED);
  expect(report.stepCount).toBeGreaterThanOrEqual(5000);
  expect(await store.maintenance.invalidRows()).toEqual({ count: 0, messages: [] });
  expect(await store.count()).toBeLessThanOrEqual(500);
  await repo.close();
});
