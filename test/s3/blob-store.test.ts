/** Blobs on a real S3 server. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createS3BlobStore } from '../../src/adapters/s3/blob-store.ts';
import { S3Client } from '../../src/adapters/s3/client.ts';
import { openS3Blobs, s3Blobs } from '../../src/adapters/s3/open-blobs.ts';
import { s3Place } from '../../src/adapters/s3/options.ts';
import { CODEC_RAW, cidOf, cidToText } from '../../src/core/data/cid.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { bytesOf, text } from '../../src/testing/storage/blob-store-harness.ts';
import { runCases } from '../run-cases.ts';
import { makeS3Harness } from './blobs-harness.ts';
import { lacksS3, makeBucket, why } from './s3-server.ts';

const PART = 64 * 1024;
const failure = (words: RegExp, code = 'StorageFailed'): object =>
  expect.objectContaining({ name: 'RepoError', code, message: expect.stringMatching(words) });

describe.skipIf(lacksS3)(`the cases for blob stores${why}`, () =>
  runCases(blobStoreCases, () => makeS3Harness(makeBucket)),
);

describe.skipIf(lacksS3)(`the cases for blob stores, in parts of 64 KiB${why}`, () =>
  runCases(blobStoreCases, () => makeS3Harness(makeBucket, PART)),
);

describe.skipIf(lacksS3)(`a bucket${why}`, () => {
  test('has the blob at the prefix and its CID, and nothing else', async () => {
    const prefix = `a b+c/(ü)'!*~&="?#%41/`;
    const bucket = await makeBucket({ prefix, partSize: PART });
    const store = await openS3Blobs(bucket.options);
    const sizes = [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1, 5 * PART];
    const infos = await Promise.all(sizes.map((size) => store.put(bytesOf(size, size))));
    const keys = infos.map(({ cid }) => `${prefix}${cidToText(cid)}`);
    expect(await bucket.keys()).toEqual(keys.sort());
    expect(await bucket.uploads()).toEqual([]);
    for (const [i, { cid, size }] of infos.entries()) {
      expect(size).toBe(sizes[i]);
      expect(cidToText(cid)).toBe(cidToText(cidOf(CODEC_RAW, bytesOf(size, size))));
      // To compare byte by byte takes the test runner a second.
      expect(Buffer.compare(await (await store.get(cid))!.bytes(), bytesOf(size, size))).toBe(0);
    }
    await store.delete(infos.map(({ cid }) => cid));
    expect(await bucket.keys()).toEqual([]);
  });

  test('has the blobs of many accounts', async () => {
    const bucket = await makeBucket({ prefix: 'blobs/' });
    const blobsOf = s3Blobs(bucket.options);
    const [one, two] = ['did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'did:web:localhost%3A3000'];
    const { cid } = await blobsOf(one).put(text('one'));
    const other = await blobsOf(two).put(text('two'));
    expect(await bucket.keys()).toEqual([`blobs/${one}/${cidToText(cid)}`, `blobs/${two}/${cidToText(other.cid)}`]);
    expect(await blobsOf(two).get(cid)).toBe(undefined);
    expect(await (await blobsOf(two).get(other.cid))?.text()).toBe('two');
    await bucket.beginUpload('blobs/tmp/old');
    expect(await blobsOf(one).sweep({ olderThanMs: 0 })).toEqual({ uploads: 1, objects: 0 });
    expect(() => blobsOf('alice')).toThrow(expect.objectContaining({ code: 'InvalidDid' }));
  });

  test('a list has pages, and continues while blobs are deleted', async () => {
    const bucket = await makeBucket({ prefix: 'a/' });
    const { prefix } = bucket.options;
    const requests: string[] = [];
    const place = s3Place({ ...bucket.options, fetch: (url, init) => (requests.push(url), fetch(url, init)) });
    const keys = { prefix: prefix!, temporaryPrefix: `${prefix}tmp/`, pageSize: 10 };
    const store = createS3BlobStore(new S3Client(place), keys);
    const infos = await Promise.all(Array.from({ length: 30 }, (_, i) => store.put(text(`blob ${i}`))));
    const names = infos.map(({ cid }) => cidToText(cid)).sort();
    requests.length = 0;
    expect((await listOf(store.list())).map(({ cid }) => cidToText(cid))).toEqual(names);
    expect(requests.length).toBe(3);
    const found: string[] = [];
    for await (const { cid } of store.list()) {
      found.push(cidToText(cid));
      await store.delete([cid]);
    }
    expect(found).toEqual(names);
    expect(await bucket.keys()).toEqual([]);
  });

  test('a sweep removes what is old enough below its own prefix', async () => {
    const bucket = await makeBucket({ prefix: 'a/' });
    const store = await openS3Blobs(bucket.options);
    const { cid } = await store.put(text('kept'));
    const others = ['b/tmp/other', 'tmp/other', 'a/tmp2', 'a/notes'];
    for (const key of ['a/tmp/one', 'a/tmp/two', ...others]) {
      await bucket.put(key, 'x');
      await bucket.beginUpload(key);
    }
    expect(await store.sweep()).toEqual({ uploads: 0, objects: 0 });
    expect(await store.sweep({ olderThanMs: 60_000 })).toEqual({ uploads: 0, objects: 0 });
    expect(await store.sweep({ olderThanMs: 0 })).toEqual({ uploads: 2, objects: 2 });
    expect(await bucket.keys()).toEqual([`a/${cidToText(cid)}`, ...others].sort());
    expect(await bucket.uploads()).toEqual([...others].sort());
    await expect(store.sweep({ olderThanMs: -1 })).rejects.toThrow(TypeError);
  });

  test('a Blob reads only the bytes that are asked for', async () => {
    const ranges: (string | null)[] = [];
    const bucket = await makeBucket({
      fetch(url, init) {
        ranges.push(`${init.method} ${new Headers(init.headers).get('range') ?? ''}`.trim());
        return fetch(url, init);
      },
    });
    const store = await openS3Blobs(bucket.options);
    const { cid } = await store.put(bytesOf(100_000));
    ranges.length = 0;
    const blob = (await store.get(cid))!;
    expect(await blob.slice(-10, -5).slice(1).bytes()).toEqual(bytesOf(100_000).subarray(99_991, 99_995));
    expect((await blob.slice(5, 5).bytes()).length).toBe(0);
    expect(ranges).toEqual(['HEAD', 'GET bytes=99991-99994']);
    const reader = blob.stream().getReader();
    expect((await reader.read()).value!.length).toBeGreaterThan(0);
    await reader.cancel();
    // It stays readable after the end of the store, and until it is deleted.
    const again = await openS3Blobs(bucket.options);
    await store.close();
    expect(
      createHash('sha256')
        .update(await blob.bytes())
        .digest(),
    ).toEqual(Buffer.from(cid.multihash.digest));
    await again.delete([cid]);
    await expect(blob.bytes()).rejects.toEqual(failure(/deleted while it was read/, 'BlobNotFound'));
  });

  test('an abort ends an upload, and removes its parts', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const bucket = await makeBucket({
      partSize: PART,
      fetch(url, init) {
        if (url.includes('partNumber=3')) {
          abort.abort(reason);
        }
        return fetch(url, init);
      },
    });
    const store = await openS3Blobs(bucket.options);
    await expect(store.put(bytesOf(6 * PART), { signal: abort.signal })).rejects.toBe(reason);
    expect([await bucket.keys(), await bucket.uploads()]).toEqual([[], []]);
  });
});

describe.skipIf(lacksS3)(`a refusal says what to check${why}`, () => {
  test.each([
    [
      'another secret',
      { secretAccessKey: 'wrong' },
      /opening the blobs failed: check secretAccessKey.* code=SignatureDoesNotMatch/,
    ],
    ['an unknown key', { accessKeyId: 'UNKNOWN' }, /check accessKeyId.* code=InvalidAccessKeyId/],
    ['a missing bucket', { bucket: 'no-such-bucket' }, /create the bucket, or check its name.* code=NoSuchBucket/],
    ['a port without a server', { endpoint: 'http://127.0.0.1:9' }, /check the connection and the endpoint/],
  ] as const)('%s', async (_, wrong, words) => {
    const bucket = await makeBucket({ retries: 1 });
    await expect(openS3Blobs({ ...bucket.options, ...wrong })).rejects.toEqual(failure(words));
    // A response to HEAD has no code, so another request asks for it.
    const store = s3Blobs({ ...bucket.options, ...wrong })('did:web:alice.example');
    const get = store.get(cidOf(CODEC_RAW, text('x')));
    if ('bucket' in wrong) {
      expect(await get).toBe(undefined);
    } else {
      await expect(get).rejects.toEqual(
        failure(new RegExp(words.source.replace('opening the blobs', 'reading a blob'))),
      );
    }
  });

  test('a wrong clock', async () => {
    const { options } = await makeBucket();
    const RealDate = Date;
    class LateDate extends RealDate {
      constructor(...given: [] | [number]) {
        super(...((given.length === 0 ? [RealDate.now() - 3_600_000] : given) as [number]));
      }
    }
    globalThis.Date = LateDate as DateConstructor;
    try {
      await expect(openS3Blobs(options)).rejects.toEqual(
        failure(/set the clock of this machine.* code=RequestTimeTooSkewed/),
      );
    } finally {
      globalThis.Date = RealDate;
    }
  });

  test('a part that the server finds too small', async () => {
    const { options } = await makeBucket({ partSize: 1000 });
    const store = await openS3Blobs(options);
    await expect(store.put(bytesOf(5000))).rejects.toEqual(failure(/raise partSize.* code=EntityTooSmall/));
  });
});
