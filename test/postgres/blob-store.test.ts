/** The contract of a blob store, over PostgreSQL. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { PostgresBlobStore } from '../../src/adapters/postgres/blob-store.ts';
import { deleteRows, insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import { CHUNK_SIZE, removeOrphanedUploads } from '../../src/adapters/postgres/upload.ts';
import { concatBytes, equalBytes } from '../../src/core/data/bytes.ts';
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
    const blob = (await store.get(cid))!;
    await expect(blob.arrayBuffer()).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining(String(cid)),
    });
    await store.delete([cid]);
  });

  test('ranges of a blob are read, across rows', async () => {
    const store = await open();
    const bytes = bytesOf(CHUNK_SIZE * 5 + 100);
    const { cid } = await store.put(bytes);
    const blob = (await store.get(cid))!;
    const edges = [
      0,
      1,
      CHUNK_SIZE - 1,
      CHUNK_SIZE,
      CHUNK_SIZE * 4 + 1,
      CHUNK_SIZE * 5,
      bytes.length - 1,
      bytes.length,
    ];
    for (const start of edges) {
      for (const end of edges) {
        const read = new Uint8Array(await blob.slice(start, end).arrayBuffer());
        expect(equalBytes(read, bytes.slice(start, end)), `${start} to ${end}`).toBe(true);
      }
    }
    await store.delete([cid]);
  });

  test('a blob that is stored again while it is read is complete, and a deleted one is BlobNotFound', async () => {
    const store = await open();
    const bytes = bytesOf(CHUNK_SIZE * 12 + 5);
    const { cid } = await store.put(bytes);
    const readers = [0, 1].map(() => store.get(cid));
    const [first, second] = await Promise.all(readers);
    const chunks = first!.stream().getReader();
    const parts = [(await chunks.read()).value!];
    await store.put(bytes);
    for (let part = await chunks.read(); !part.done; part = await chunks.read()) {
      parts.push(part.value);
    }
    expect(equalBytes(concatBytes(parts), bytes)).toBe(true);
    const later = second!.stream().getReader();
    await later.read();
    await store.delete([cid]);
    const rest = async (): Promise<void> => {
      while (!(await later.read()).done) {}
    };
    await expect(rest()).rejects.toMatchObject({ code: 'BlobNotFound', message: expect.stringContaining(String(cid)) });
  });

  test('a large blob is stored and read in little memory', async () => {
    const store = await open();
    const size = 48 * 1024 * 1024;
    const part = bytesOf(1024 * 1024);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = (): number => {
      collect();
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      return arrayBuffers + heapUsed;
    };
    const before = used();
    let most = 0;
    let left = size;
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          most = Math.max(most, used() - before);
          left -= part.length;
          controller.enqueue(part.slice());
          if (left === 0) {
            controller.close();
          }
        },
      },
      { highWaterMark: 0 },
    );
    const { cid } = await store.put(source);
    let read = 0;
    for await (const chunk of (await store.get(cid))!.stream()) {
      read += chunk.length;
      if (read % part.length === 0) {
        most = Math.max(most, used() - before);
      }
    }
    expect(read).toBe(size);
    expect(most).toBeLessThan(size / 2);
    await store.delete([cid]);
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
