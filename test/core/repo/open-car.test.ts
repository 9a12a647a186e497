/** A CAR as a repository that is read and not written. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { CarSource, Repo } from '../../../src/index.ts';
import { openCar, verifyCar } from '../../../src/index.ts';
import { generateKey, MemoryBlobStore, MemoryBlockStore, readCar, repoOver, writeCar } from '../../../src/index.ts';

const DID = 'did:web:alice.example';
const POST = 'app.bsky.feed.post';
const signer = generateKey();
let repo: Repo;
let car: Uint8Array;

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
const collect = async <T>(list: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const entry of list) {
    all.push(entry);
  }
  return all;
};
const fromChunks = async function* (size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < car.length; at += size) {
    yield car.slice(at, at + size);
  }
};

beforeAll(async () => {
  repo = repoOver({ did: DID, store: new MemoryBlockStore(DID), blobs: new MemoryBlobStore(), signer });
  await repo.write(
    Array.from({ length: 500 }, (_, i) => ({
      action: 'create' as const,
      collection: POST,
      rkey: `r${String(i).padStart(3, '0')}`,
      value: { text: `post ${i}` },
    })),
  );
  car = await bytesOf(repo.exportCar());
});

const sources: readonly (readonly [string, () => CarSource])[] = [
  ['bytes', () => car],
  ['a Blob', () => new Blob([car as Uint8Array<ArrayBuffer>])],
  ['chunks', () => fromChunks(1000)],
];

test.each(sources)('reads what the repository reads, from %s', async (_, source) => {
  const opened = await openCar(source());
  expect(opened.did).toBe(DID);
  expect(await opened.head()).toEqual(await repo.head());
  expect(await opened.info()).toEqual({ ...(await repo.info()), commits: 1, blocks: expect.any(Number) });
  expect(await collect(opened.list(POST, { reverse: true, limit: 10 }))).toEqual(
    await collect(repo.list(POST, { reverse: true, limit: 10 })),
  );
  expect(await opened.get(POST, 'r123')).toEqual(await repo.get(POST, 'r123'));
  expect(await collect(opened.log())).toHaveLength(1);
  expect(await collect(opened.diff(undefined))).toHaveLength(500);
  expect(await bytesOf(opened.exportCar())).toEqual(car);
  expect((await opened.refs()).size).toBe(1);
  expect(await opened.verify({ key: signer.did() })).toMatchObject({ ok: true, signature: 'valid', records: 500 });
  await opened.close();
  await expect(opened.get(POST, 'r123')).rejects.toMatchObject({ code: 'Closed' });
});

test('each write rejects, and nothing has changed', async () => {
  const opened = await openCar(car);
  for (const write of [
    () => opened.put(POST, 'a', { text: 'a' }, { signer }),
    () => opened.delete(POST, 'r001', { signer }),
    () => opened.write([], { signer }),
    () => opened.put(POST, 'a', { text: 'a' }),
    () => opened.meta.set('app:a', 'b'),
    () => opened.branch('draft').put(POST, 'a', { text: 'a' }),
    () => opened.importCar(car),
    () => opened.setRef('a', 'main'),
    () => opened.removeRef('a'),
    () => opened.putBlob(new Uint8Array(1)),
    () => opened.putBlob(new Uint8Array(1), { mimeType: 'image/png' }),
    () => opened.gc(),
    () => opened.repair(),
  ]) {
    await expect(write()).rejects.toMatchObject({ name: 'RepoError', code: 'ReadOnly' });
  }
  expect(await opened.head()).toEqual(await repo.head());
  expect(await collect(opened.blobs())).toEqual([]);
});

describe('input from outside', () => {
  test('observes the limits, and stops on abort', async () => {
    await expect(openCar(car, { maxSize: 1000 })).rejects.toMatchObject({ code: 'LimitExceeded' });
    await expect(openCar(car, { maxBlocks: 10 })).rejects.toMatchObject({ code: 'LimitExceeded' });
    await expect(openCar(fromChunks(100), { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    const seen: number[] = [];
    await openCar(fromChunks(1000), { onProgress: ({ bytes }) => seen.push(bytes) });
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('a block that does not match its CID, no root, no commit', async () => {
    await expect(openCar(car.with(car.length - 1, car.at(-1)! ^ 1))).rejects.toMatchObject({ code: 'Malformed' });
    await expect(openCar(writeCar([], []))).rejects.toMatchObject({ code: 'Malformed' });
    await expect(openCar(writeCar((await repo.head())!.cid, []))).rejects.toMatchObject({ code: 'BlockNotFound' });
    await expect(openCar(writeCar((await repo.head())!.data, []))).rejects.toMatchObject({ code: 'BlockNotFound' });
  });

  test('an incomplete one can be read in part', async () => {
    const short = await openCar(car.subarray(0, wholeBlocks(car, car.length / 2)));
    expect(await short.head()).toEqual(await repo.head());
    await expect(collect(short.list(POST))).rejects.toMatchObject({ code: 'BlockNotFound' });
    expect((await short.verify()).ok).toBe(false);
    expect((await verifyCar(car)).ok).toBe(true);
  });
});

/** The end of the last block that ends before `most`. */
const wholeBlocks = (whole: Uint8Array, most: number): number => {
  let end = 0;
  for (const { offset, bytes } of readCar(whole)) {
    if (offset + bytes.length > most) {
      return end;
    }
    end = offset + bytes.length;
  }
  return end;
};
