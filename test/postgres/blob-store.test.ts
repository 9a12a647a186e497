/** The contract of a blob store, over PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { MAX_POSTGRES_BLOB, PostgresBlobStore } from '../../src/adapters/postgres/blob-store.ts';
import { deleteRows, insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import { CHUNK_SIZE, removeOrphanedUploads } from '../../src/adapters/postgres/upload.ts';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { bytesOf, contentOf } from '../../src/testing/storage/blob-store-harness.ts';
import { runCases } from '../run-cases.ts';
import { connectPg, LIMITS, newDid } from './connect.ts';
import { useDatabase } from './database.ts';
import { blobHarness, MINUTE, orphans } from './harnesses.ts';
import { connectPostgresJs } from './postgres-js-client.ts';
import { lacksPostgres, why } from './postgres-test.ts';

for (const [driver, connect] of Object.entries({ pg: connectPg, postgres: connectPostgresJs })) {
  describe.skipIf(lacksPostgres)(`a blob store in PostgreSQL, with the driver ${driver}${why}`, () => {
    const database = useDatabase(connect);
    runCases(blobStoreCases, () => blobHarness(database));
  });
}

describe.skipIf(lacksPostgres)(`blobs in PostgreSQL${why}`, () => {
  const database = useDatabase();
  const open = async (did = newDid()): Promise<PostgresBlobStore> =>
    new PostgresBlobStore(database.client, database.names, await insertRepo(database.client, database.names, did));
  const chunkCount = async (): Promise<number> => {
    const [row] = await database.client.query(`select count(*)::text from ${database.names.blobChunks}`);
    return Number(row![0]);
  };

  test('a blob in several rows is replaced and deleted with its rows', async () => {
    const store = await open();
    const bytes = bytesOf(CHUNK_SIZE * 20 + 7);
    const { cid } = await store.put(bytes);
    expect(await chunkCount()).toBe(21);
    await store.put(bytes);
    expect(await chunkCount()).toBe(21);
    expect(equalBytes((await contentOf(store, cid))!, bytes)).toBe(true);
    await store.delete([cid]);
    expect(await chunkCount()).toBe(0);
  });

  test('many processes that store and read the same blob leave one upload', async () => {
    const row = await insertRepo(database.client, database.names, newDid());
    const stores = Array.from({ length: 6 }, () => new PostgresBlobStore(database.client, database.names, row));
    const bytes = bytesOf(CHUNK_SIZE + 1);
    const { cid } = await stores[0]!.put(bytes);
    await Promise.all(
      stores.map(async (store, n) => {
        for (let i = 0; i < 10; i++) {
          expect(n % 2 === 0 ? (await store.put(bytes)).size : (await store.get(cid))?.size).toBe(bytes.length);
        }
      }),
    );
    expect(await chunkCount()).toBe(2);
    expect(await orphans(database)).toEqual([]);
    await stores[0]!.delete([cid]);
  });

  test('rows that are missing are Corrupt', async () => {
    const store = await open();
    const { cid } = await store.put(bytesOf(CHUNK_SIZE * 2));
    await database.client.query(`delete from ${database.names.blobChunks} where number = 1`);
    await expect(store.get(cid)).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining(String(cid)),
    });
    await store.delete([cid]);
  });

  test('a blob above the limit is refused before it is read', async () => {
    const store = await open();
    const part = new Uint8Array(20 * 1024 * 1024);
    const large = new Blob(Array.from({ length: 11 }, () => part));
    expect(large.size).toBeGreaterThan(MAX_POSTGRES_BLOB);
    await expect(store.put(large)).rejects.toMatchObject({ code: 'LimitExceeded' });
    expect(await chunkCount()).toBe(0);
  });

  test('sweeping keeps young uploads, and a blob whose upload was swept is not stored', async () => {
    const store = await open();
    let swept: number | undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (swept === undefined) {
            expect(await removeOrphanedUploads(database.client, database.names, Date.now() - MINUTE)).toBe(0);
            controller.enqueue(bytesOf(CHUNK_SIZE * 2));
            swept = 0;
          } else {
            swept = await removeOrphanedUploads(database.client, database.names, Date.now() + MINUTE);
            controller.close();
          }
        },
      },
      { highWaterMark: 0 },
    );
    await expect(store.put(stream)).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(swept).toBe(1);
    expect(await chunkCount()).toBe(0);
  });

  test('a deleted repository takes no blob', async () => {
    const did = newDid();
    const store = await open(did);
    await store.put(bytesOf(10));
    expect(await deleteRows(database.client, database.names, did, LIMITS)).toBe(true);
    expect(await deleteRows(database.client, database.names, did, LIMITS)).toBe(false);
    await expect(store.put(bytesOf(11))).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(await chunkCount()).toBe(0);
  });
});
