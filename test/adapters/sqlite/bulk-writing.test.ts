/** Changes that bypass the WAL: all cases of the port, and tests of the bypass. */
import { describe, expect, test } from 'vitest';
import { isBulk } from '../../../src/adapters/sqlite/block-store.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import { SqliteBlockStore } from '../../../src/adapters/sqlite/block-store.ts';
import type { BlockChange, BlockStore } from '../../../src/core/storage/ports.ts';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import { blockOf, blocksOf } from '../../../src/testing/storage/block-store-harness.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { runCases } from '../../run-cases.ts';
import { openDatabase } from './open-database.ts';
import { DID } from './open-store.ts';

const options = { isBulk: (bytes: number) => bytes > 0 };
const create = async (files: MemoryFiles) => createSqliteBlockStore(await openDatabase(files), files, DID, options);
const open = async (files: MemoryFiles) => openSqliteBlockStore(await openDatabase(files), files, options);

/** Returns the store, with every change announced as a bulk write. */
const announced = (store: BlockStore): BlockStore =>
  new Proxy(store, {
    get(target, name) {
      if (name === 'transact') {
        return <T>(run: (change: BlockChange) => Promise<T>) =>
          target.transact(async (change) => {
            await change.maintenance!.expect(1);
            return run(change);
          });
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

const harness = (ending: 'afterPowerCut' | 'reopened'): BlockStoreHarness => {
  let files: MemoryFiles | undefined;
  let crashed = false;
  return {
    async open() {
      if (files === undefined) {
        files = new MemoryFiles();
        return announced(await create(files));
      }
      files = crashed ? files[ending]() : files.reopened();
      crashed = false;
      return announced(await open(files));
    },
    crash: async () => {
      crashed = true;
    },
  };
};

describe('with power cuts as crashes', () => runCases(blockStoreCases, () => harness('afterPowerCut')));
describe('with kills as crashes', () => runCases(blockStoreCases, () => harness('reopened')));

const put = (store: BlockStore, from: number, count: number, bytes: number): Promise<void> =>
  store.transact(async (change) => {
    await change.maintenance!.expect(bytes);
    await change.put(blocksOf(from + count).slice(from));
  });

test('a bulk write is large, and large compared with the file', () => {
  const MiB = 1024 * 1024;
  expect([
    isBulk(8 * MiB - 1, 0),
    isBulk(8 * MiB, 28_672),
    isBulk(33 * MiB, 8 * MiB),
    isBulk(31 * MiB, 8 * MiB),
  ]).toEqual([false, true, true, false]);
});

test('nothing is written to the WAL, each page is written once, and the next change uses the WAL again', async () => {
  const files = new MemoryFiles();
  const store = await create(files);
  expect(store).toBeInstanceOf(SqliteBlockStore);
  await put(store, 0, 2000, 0);
  const ahead = files.wal.getSize();
  expect(ahead).toBeGreaterThan(100_000);
  const before = files.main.counts.writes;
  await put(store, 2000, 2000, 1);
  expect([files.wal.getSize(), files.journal.getSize()]).toEqual([0, 0]);
  expect(files.main.counts.writes).toBeGreaterThan(before);
  const size = files.main.getSize();
  await put(store, 4000, 10, 0);
  expect([files.wal.getSize() > 0, files.main.getSize()]).toEqual([true, size]);
  await store.close();
  const left = files.reopened();
  expect(left.wal.getSize()).toBe(0);
  const again = await open(left);
  expect([await again.count(), await again.maintenance.check()]).toEqual([4010, []]);
  await again.close();
});

test('a change that has already written keeps its mode', async () => {
  const files = new MemoryFiles();
  const store = await create(files);
  await store.transact(async (change) => {
    await change.put([blockOf(0)]);
    await change.maintenance!.expect(1);
    await change.put([blockOf(1)]);
  });
  expect(files.wal.getSize()).toBeGreaterThan(0);
  expect(await store.count()).toBe(2);
  await store.close();
});

test('a failed change changes nothing', async () => {
  const files = new MemoryFiles();
  const store = await create(files);
  await put(store, 0, 100, 0);
  await expect(
    store.transact(async (change) => {
      await change.maintenance!.expect(1);
      await change.put(blocksOf(5000));
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect([await store.count(), await store.maintenance.check(), files.journal.getSize()]).toEqual([100, [], 0]);
  await put(store, 100, 1, 0);
  await store.close();
  const again = await open(files.reopened());
  expect(await again.count()).toBe(101);
  await again.close();
});

test('a check and then a snapshot work directly after it, as in a backup', async () => {
  const files = new MemoryFiles();
  await using store = await create(files);
  await put(store, 0, 1000, 1);
  expect(await store.maintenance.check()).toEqual([]);
  const { blocks, release } = await store.maintenance.snapshot();
  expect(blocks).toBe(1000);
  release();
});

test('a snapshot works directly after it', async () => {
  const files = new MemoryFiles();
  const store = await create(files);
  await put(store, 0, 1000, 1);
  const { blocks, files: copies, release } = await store.maintenance.snapshot();
  await put(store, 1000, 1000, 1);
  expect([blocks, copies.length]).toEqual([1000, 1]);
  const copy = new MemoryFiles();
  copy.main.write(
    new Uint8Array(
      await new Response(copies[0]!.content.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
    ),
    { at: 0 },
  );
  release();
  const restored = await open(copy);
  expect(await restored.count()).toBe(1000);
  await restored.close();
  await store.close();
});
