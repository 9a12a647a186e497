/** The contract of `BlobStore`, as test cases. */
import { readAll } from '../../core/data/streams.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf, cidToText } from '../../core/data/cid.ts';
import { assertNothing, bytesOf, contentOf, listOf, streamOf, text, withStore } from './blob-store-harness.ts';
import type { BlobStoreHarness } from './blob-store-harness.ts';
import { scratchFileCases } from './scratch-file-cases.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';
import type { Case } from '../case.ts';
import { errorName, isBlob } from '../../core/data/platform-values.ts';

const sources: readonly (readonly [
  name: string,
  source: (bytes: Uint8Array<ArrayBuffer>) => Blob | ReadableStream<Uint8Array> | Uint8Array,
])[] = [
  ['bytes', (bytes) => bytes],
  ['a Blob', (bytes) => new Blob([bytes], { type: 'image/png' })],
  ['a stream', (bytes) => streamOf([bytes.subarray(0, 3), new Uint8Array(0), bytes.subarray(3)]).stream],
  ['a part of a buffer', (bytes) => concatBytes([bytesOf(5), bytes, bytesOf(5)]).subarray(5, 5 + bytes.length)],
];

const storing: readonly Case<BlobStoreHarness>[] = [
  withStore('an empty store has no blob and lists none', async (store, harness) => {
    assertEqual(await store.get(cidOf(CODEC_RAW, text('nothing'))), undefined, 'get');
    await assertNothing(harness, store);
  }),
  ...sources.map(([name, source]) =>
    withStore(`stores ${name}, and returns its raw CID and size`, async (store, harness) => {
      const bytes = bytesOf(1000);
      const info = await store.put(source(bytes));
      assertEqual(cidToText(info.cid), cidToText(cidOf(CODEC_RAW, bytes)), 'CID');
      assertEqual(info.size, 1000, 'size');
      assertEqual(await contentOf(store, info.cid), bytes, 'content');
      assertEqual((await harness.temporaryFiles?.()) ?? [], [], 'temporary files');
    }),
  ),
  withStore('returns the time when a blob was last stored', async (store) => {
    const times = async (): Promise<(number | undefined)[]> => {
      const all: (number | undefined)[] = [];
      for await (const { storedAt } of store.list()) {
        all.push(storedAt);
      }
      return all;
    };
    await store.put(bytesOf(10));
    const [first] = await times();
    if (first === undefined) {
      skip('the store does not know');
    }
    // Clocks of file systems and browsers are coarse.
    await new Promise((resolve) => setTimeout(resolve, 120));
    await store.put(bytesOf(10));
    const again = await times();
    assertEqual(again.length, 1, 'blobs');
    assert(again[0]! > first!, `stored again later: first=${first} again=${again[0]}`);
    assert(Math.abs(again[0]! - Date.now()) < 60_000, 'as the clock says');
  }),
  withStore('stores an empty blob', async (store) => {
    const info = await store.put(new Uint8Array(0));
    assertEqual(info.size, 0, 'size');
    const blob = await store.get(info.cid);
    assertEqual(blob?.size, 0, 'size of the blob');
    assertEqual(await contentOf(store, info.cid), new Uint8Array(0), 'content');
  }),
  withStore('stores 5 MiB in chunks of different sizes', async (store) => {
    const bytes = bytesOf(5 * 1024 * 1024);
    const pieces: Uint8Array[] = [];
    for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7 + 1) % 300_000) {
      pieces.push(bytes.subarray(at, at + length));
      if (length === 0) {
        length = 1;
      }
    }
    const whole = concatBytes(pieces);
    const info = await store.put(streamOf(pieces).stream);
    assertEqual(cidToText(info.cid), cidToText(cidOf(CODEC_RAW, whole)), 'CID');
    assertEqual(await contentOf(store, info.cid), whole, 'content');
  }),
  withStore('returns a Blob with size, slices and a stream', async (store) => {
    const bytes = bytesOf(100_000);
    const { cid } = await store.put(bytes);
    const blob = await store.get(cid);
    assert(isBlob(blob), 'get resolves to a Blob');
    assertEqual(blob.size, 100_000, 'size');
    const cut = async (start: number, end: number): Promise<Uint8Array> =>
      new Uint8Array(await blob.slice(start, end).arrayBuffer());
    assertEqual(await cut(0, 1), bytes.subarray(0, 1), 'first byte');
    assertEqual(await cut(99_999, 100_000), bytes.subarray(99_999), 'last byte');
    assertEqual(await cut(65_530, 65_545), bytes.subarray(65_530, 65_545), 'middle');
    assertEqual(await cut(99_990, 200_000), bytes.subarray(99_990), 'past the end');
    assertEqual(await readAll(blob.stream()), bytes, 'stream');
  }),
  withStore('later calls do not change a result', async (store) => {
    const { cid } = await store.put(text('one'));
    const blob = await store.get(cid);
    await store.put(text('two'));
    await store.put(text('one'));
    assertEqual(await blob?.text(), 'one', 'content');
  }),
  withStore('the same blob twice is one blob', async (store, harness) => {
    const first = await store.put(text('again'));
    const second = await store.put(new Blob(['again']));
    assertEqual(cidToText(first.cid), cidToText(second.cid), 'CID');
    assertEqual(await listOf(store), [cidToText(first.cid)], 'list');
    assertEqual((await harness.temporaryFiles?.()) ?? [], [], 'temporary files');
  }),
  withStore('the same blob in concurrent calls is one blob', async (store, harness) => {
    const bytes = bytesOf(200_000);
    const infos = await Promise.all(
      Array.from({ length: 8 }, () => store.put(streamOf([bytes.subarray(0, 7), bytes.subarray(7)]).stream)),
    );
    assertEqual(await listOf(store), [cidToText(infos[0]!.cid)], 'list');
    assertEqual(await contentOf(store, infos[0]!.cid), bytes, 'content');
    assertEqual((await harness.temporaryFiles?.()) ?? [], [], 'temporary files');
  }),
  withStore('storing a blob again repairs a damaged one', async (store, harness) => {
    const damage = harness.damage ?? skip('the place cannot be damaged');
    const bytes = bytesOf(5000);
    const { cid } = await store.put(bytes);
    // Empty, truncated, and with one flipped bit.
    const flipped = new Uint8Array(bytes);
    flipped[4000]! ^= 1;
    for (const wrong of [new Uint8Array(0), bytes.subarray(0, 4999), flipped]) {
      await damage.call(harness, cid, wrong);
      await store.put(bytes);
      assertEqual(await contentOf(store, cid), bytes, `content after ${wrong.length} bytes`);
    }
  }),
];

const refusing: readonly Case<BlobStoreHarness>[] = [
  ...sources.map(([name, source]) =>
    withStore(`maxSize, from ${name}: exact is stored, one more byte is refused`, async (store, harness) => {
      const bytes = bytesOf(1000);
      await assertRejects(() => store.put(source(bytes), { maxSize: 999 }), 'LimitExceeded', 'one over');
      await assertNothing(harness, store);
      assertEqual((await store.put(source(bytes), { maxSize: 1000 })).size, 1000, 'exact');
      assertEqual((await store.put(source(bytes), { maxSize: 1001 })).size, 1000, 'one short');
    }),
  ),
  withStore('a stream that is too long is cancelled', async (store) => {
    const { stream, cancelled } = streamOf([bytesOf(10), bytesOf(10), bytesOf(10)]);
    await assertRejects(() => store.put(stream, { maxSize: 15 }), 'LimitExceeded', 'put');
    assertEqual(cancelled(), 1, 'cancelled');
  }),
  withStore('a failed stream stores nothing, and its error is thrown unchanged', async (store, harness) => {
    const failure = new Error('the source broke');
    const { stream } = streamOf([bytesOf(100_000), bytesOf(10)], failure);
    assertEqual(await rejectionOf(() => store.put(stream), 'put'), failure, 'error');
    await assertNothing(harness, store);
  }),
  withStore('a stream of other values than bytes is a TypeError, and is cancelled', async (store, harness) => {
    const { stream, cancelled } = streamOf([bytesOf(10), 'text' as unknown as Uint8Array]);
    assert(errorName(await rejectionOf(() => store.put(stream), 'put')) === 'TypeError', 'a TypeError');
    assertEqual(cancelled(), 1, 'cancelled');
    await assertNothing(harness, store);
  }),
  withStore('an invalid source is a TypeError', async (store, harness) => {
    const error = await rejectionOf(() => store.put('text' as unknown as Blob), 'put');
    assert(errorName(error) === 'TypeError', 'a TypeError');
    await assertNothing(harness, store);
  }),
  withStore('an aborted signal stores nothing and throws its reason', async (store, harness) => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const source of [bytesOf(10), new Blob(['x']), streamOf([bytesOf(10)]).stream]) {
      assertEqual(await rejectionOf(() => store.put(source, { signal }), 'put'), reason, 'error');
    }
    await assertNothing(harness, store);
  }),
  withStore('a signal ends the wait for a stream without data, and cancels it', async (store, harness) => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let cancelled: unknown;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(bytesOf(10)),
        pull: () => void setTimeout(() => abort.abort(reason), 5),
        cancel: (why) => void (cancelled = why),
      },
      { highWaterMark: 2 },
    );
    assertEqual(await rejectionOf(() => store.put(stream, { signal: abort.signal }), 'put'), reason, 'error');
    assertEqual(cancelled, reason, 'reason of the cancellation');
    await assertNothing(harness, store);
  }),
  withStore('a CID of another codec is absent', async (store) => {
    const bytes = text('a block');
    await store.put(bytes);
    const cid = cidOf(CODEC_DAG_CBOR, bytes);
    assertEqual(await store.get(cid), undefined, 'get');
    await store.delete([cid]);
    assertEqual((await listOf(store)).length, 1, 'blobs');
  }),
];

const listing: readonly Case<BlobStoreHarness>[] = [
  withStore('lists every blob with its size in the order of the CIDs, also after a given one', async (store) => {
    const sizes = new Map<string, number>();
    for (let i = 0; i < 40; i++) {
      const { cid, size } = await store.put(bytesOf(i, i));
      sizes.set(cidToText(cid), size);
    }
    const names = [...sizes.keys()].sort();
    const found: string[] = [];
    for await (const { cid, size } of store.list()) {
      found.push(cidToText(cid));
      assertEqual(size, sizes.get(cidToText(cid)), 'size');
    }
    assertEqual(found, names, 'order');
    const stranger = cidOf(CODEC_RAW, text('not stored'));
    const rest = names.filter((name) => name > cidToText(stranger));
    assertEqual(await listOf(store, stranger), rest, 'after a CID that is not there');
    for await (const { cid } of store.list()) {
      const position = names.indexOf(cidToText(cid));
      assertEqual(await listOf(store, cid), names.slice(position + 1), `after number ${position}`);
    }
  }),
  withStore('a list continues while blobs are deleted, with or without those', async (store) => {
    const infos = await Promise.all([1, 2, 3, 4].map((i) => store.put(bytesOf(10, i))));
    let count = 0;
    for await (const { cid } of store.list()) {
      count++;
      await store.delete(infos.map((info) => info.cid).filter((other) => cidToText(other) !== cidToText(cid)));
    }
    assert(count >= 1 && count <= 4, 'between one and four');
    assertEqual((await listOf(store)).length <= 1, true, 'at most one is left');
  }),
  withStore('deletes blobs, and ignores absent ones', async (store) => {
    const [one, two, three] = await Promise.all([store.put(text('1')), store.put(text('2')), store.put(text('3'))]);
    await store.delete([one.cid, cidOf(CODEC_RAW, text('never stored')), three.cid, one.cid]);
    await store.delete([]);
    assertEqual(await listOf(store), [cidToText(two.cid)], 'the remaining blobs');
    assertEqual(await store.get(one.cid), undefined, 'a deleted one');
    await store.put(text('1'));
    assertEqual(await contentOf(store, one.cid), text('1'), 'stored again');
  }),
  withStore(
    'entries without the name of a CID, and entries that are not files, are skipped',
    async (store, harness) => {
      const litter = harness.litter ?? skip('nothing else can be put among the blobs');
      const { cid } = await store.put(text('a blob'));
      await litter.call(harness);
      assertEqual(await listOf(store), [cidToText(cid)], 'list');
    },
  ),
];

const living: readonly Case<BlobStoreHarness>[] = [
  {
    name: 'after reopening, stored blobs exist and deleted blobs do not',
    async run(harness) {
      if (!harness.keeps) {
        skip('the store keeps nothing');
      }
      const first = await harness.open();
      const kept = await first.put(bytesOf(3000));
      const gone = await first.put(text('gone'));
      await first.delete([gone.cid]);
      await first.close();
      const second = await harness.open();
      assertEqual(await contentOf(second, kept.cid), bytesOf(3000), 'content');
      assertEqual(await listOf(second), [cidToText(kept.cid)], 'list');
      await second.close();
    },
  },
  {
    name: 'the next open removes the temporary files of an interrupted write',
    async run(harness) {
      const leaveUnfinished = harness.leaveUnfinished ?? skip('the harness cannot interrupt a write');
      const temporaryFiles = harness.temporaryFiles ?? skip('the harness cannot list temporary files');
      await (await harness.open()).close();
      await leaveUnfinished.call(harness);
      assert((await temporaryFiles.call(harness)).length > 0, 'something is left');
      const store = await harness.open();
      assertEqual(await temporaryFiles.call(harness), [], 'temporary files');
      assertEqual(await listOf(store), [], 'list');
      await store.close();
    },
  },
  {
    name: 'every call after close is Closed, and a second close does nothing',
    async run(harness) {
      const store = await harness.open();
      const { cid } = await store.put(text('x'));
      const list = store.list()[Symbol.asyncIterator]();
      await store.close();
      await store.close();
      await store[Symbol.asyncDispose]();
      await assertRejects(() => store.put(text('y')), 'Closed', 'put');
      await assertRejects(() => store.get(cid), 'Closed', 'get');
      await assertRejects(() => store.delete([cid]), 'Closed', 'delete');
      await assertRejects(() => listOf(store), 'Closed', 'list');
      await assertRejects(() => list.next(), 'Closed', 'a list that was begun');
    },
  },
  {
    name: 'close waits for running calls',
    async run(harness) {
      const store = await harness.open();
      let settled = 0;
      let feed = (): void => {};
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          feed = () => {
            controller.enqueue(text('late'));
            controller.close();
          };
        },
      });
      const put = store.put(stream).then((info) => {
        settled = 1;
        return info;
      });
      const closed = store.close().then(() => assertEqual(settled, 1, 'put before close'));
      setTimeout(feed, 5);
      const info = await put;
      await closed;
      assertEqual(info.size, 4, 'size');
      if (harness.keeps) {
        const again = await harness.open();
        assertEqual(await contentOf(again, info.cid), text('late'), 'content');
        await again.close();
      }
    },
  },
];

/** All cases. Every implementation runs them. */
export const blobStoreCases: readonly Case<BlobStoreHarness>[] = [
  ...storing,
  ...refusing,
  ...listing,
  ...living,
  ...scratchFileCases,
];
