/** A repository accepts values of another realm: a `node:vm` context stands for an iframe, Jest or jsdom. */
import { createContext, runInContext } from 'node:vm';
import { toBytes } from '@atcute/cbor';
import { fromString, toCidLink } from '@atcute/cid';
import { describe, expect, test } from 'vitest';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { RecordValue, Repo } from '../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { PlayedBrowser } from '../../adapters/rpc/tabs.ts';

const did = 'did:web:realm.example';
const POST = 'app.bsky.feed.post';

const context = createContext({ TextEncoder, URL });
const foreign = <T>(code: string, given: Readonly<Record<string, unknown>> = {}): T =>
  runInContext(`(${code})`, Object.assign(context, given)) as T;

const PLACES: Readonly<Record<string, () => Promise<Repo>>> = {
  'by itself': async () => repoOver({ did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() }),
  'over a worker': () => new PlayedBrowser().tab().open('repo', { did }),
};

describe.each(Object.entries(PLACES))('a repository %s', (_name, open) => {
  test('takes maps, arrays and bytes', async () => {
    const repo = await open();
    const value = foreign<RecordValue>(`{ text: 'hello', list: [{ bytes: new Uint8Array([1, 2, 3]) }] }`);
    await repo.put(POST, 'self', value);
    const kept = (await repo.get(POST, 'self'))!.value as unknown as { list: [{ bytes: Uint8Array }] };
    expect([...kept.list[0].bytes]).toEqual([1, 2, 3]);
    await repo.close();
  });

  test('takes a CidLink and Bytes of atcute', async () => {
    const repo = await open();
    const link = 'bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
    const value = { link: toCidLink(fromString(link)), list: [toBytes(Uint8Array.of(1, 2, 3))] };
    expect(value.link.constructor).not.toBe(Object);
    await repo.put(POST, 'self', value as unknown as RecordValue);
    expect((await repo.getJson(POST, 'self'))?.value).toMatchObject({
      link: { $link: link },
      list: [{ $bytes: 'AQID' }],
    });
    await repo.close();
  });

  test('accepts a CAR, whole and in chunks', async () => {
    const source = await open();
    await source.put(POST, 'self', { text: 'hello' });
    const bytes = new Uint8Array(await new Response(source.exportCar()).arrayBuffer());
    await source.close();
    const whole = foreign<Uint8Array>('Uint8Array.from(list)', { list: bytes });
    const chunks = foreign<AsyncIterable<Uint8Array>>('(async function* () { yield whole; })()', { whole });
    for (const car of [whole, chunks]) {
      const repo = await open();
      expect(await repo.importCar(car, { allowUnsigned: true })).toMatchObject({ created: 1 });
      await repo.close();
    }
  });

  test('takes a blob of bytes, and of a stream of bytes', async () => {
    const repo = await open();
    const bytes = foreign<Uint8Array>('new Uint8Array([1, 2, 3])');
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    for (const source of [bytes, stream]) {
      const { ref, size } = await repo.putBlob(source);
      expect(size).toBe(3);
      expect([...new Uint8Array(await (await repo.getBlob(ref))!.arrayBuffer())]).toEqual([1, 2, 3]);
    }
    await repo.close();
  });

  test('rejects with the error of a source unchanged', async () => {
    const repo = await open();
    const reason = foreign<Error>(`Object.assign(new RangeError('no more'), { code: 'EFOREIGN' })`);
    const car = foreign<AsyncIterable<Uint8Array>>('(async function* () { throw reason; })()', { reason });
    await expect(repo.importCar(car)).rejects.toBe(reason);
    await repo.close();
  });
});
