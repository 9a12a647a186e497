/** Test cases of every repository: blobs. */
import { CODEC_RAW, cidOf } from '../../core/data/cid.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, LIKE, POST, over, post } from './harness.ts';

const picture = new Uint8Array(100_000).map((_, i) => i * 7);
const pictureCid = cidOf(CODEC_RAW, picture);

const bytesOf = async (blob: Blob | undefined): Promise<Uint8Array> =>
  new Uint8Array((await blob?.arrayBuffer()) ?? []);

export const repoBlobCases: readonly Case<RepoHarness>[] = [
  over('a blob is stored from bytes, a Blob or a stream, and read with its type', async (repo) => {
    const fromBytes = await repo.putBlob(picture, { mimeType: 'image/png' });
    assertEqual(String(fromBytes.ref), String(pictureCid), 'the CID');
    assertEqual(
      [fromBytes.$type, fromBytes.mimeType, fromBytes.size],
      ['blob', 'image/png', picture.length],
      'the reference',
    );
    const fromBlob = await repo.putBlob(new Blob(['text'], { type: 'image/gif' }));
    assertEqual([fromBlob.mimeType, fromBlob.size], ['image/gif', 4], 'a Blob brings its type');
    const fromStream = await repo.putBlob(new Blob(['more']).stream() as ReadableStream<Uint8Array>);
    assertEqual([fromStream.mimeType, fromStream.size], ['application/octet-stream', 4], 'a stream has none');
    const found = await repo.getBlob(fromBytes.ref);
    assertEqual([found?.type, found?.size], ['image/png', picture.length], 'the blob');
    assertEqual(await bytesOf(found), picture, 'its bytes');
    assertEqual(await repo.getBlob(cidOf(CODEC_RAW, new Uint8Array(1))), undefined, 'another one');
  }),

  over('a source may be a function, whose failure is BlobNotFound', async (repo) => {
    for (const source of [
      async () => new Blob(['late'], { type: 'image/gif' }),
      () => new Blob(['late'], { type: 'image/gif' }),
      Promise.resolve(new Blob(['late'], { type: 'image/gif' })),
    ]) {
      const { mimeType, size } = await repo.putBlob(source);
      assertEqual([mimeType, size], ['image/gif', 4], 'the reference');
    }
    const failing = (): never => {
      throw new TypeError('Unable to open file as blob');
    };
    for (const source of [failing, async () => failing(), Promise.reject(new TypeError('no such file'))]) {
      await assertRejects(() => repo.putBlob(source), 'BlobNotFound', 'a source that is missing');
    }
  }),

  over('an empty blob is a blob', async (repo) => {
    const { ref, size } = await repo.putBlob(new Uint8Array(0));
    assertEqual(size, 0, 'its size');
    assertEqual((await repo.getBlob(ref))?.size, 0, 'the blob');
  }),

  over('blobs are listed with their types, once each', async (repo) => {
    await repo.putBlob(picture, { mimeType: 'image/png' });
    await repo.putBlob(picture);
    await repo.putBlob(new Uint8Array(1), { mimeType: 'text/plain' });
    const blobs = await listOf(repo.blobs());
    assertEqual(
      blobs.map(({ cid }) => String(cid)),
      blobs.map(({ cid }) => String(cid)).sort(),
      'in order',
    );
    assertEqual(
      blobs.map(({ mimeType, size }) => `${mimeType} ${size}`).sort(),
      [`image/png ${picture.length}`, 'text/plain 1'],
      'types',
    );
  }),

  over('a blob above maxSize, or whose stream fails, is not stored', async (repo) => {
    await assertRejects(() => repo.putBlob(picture, { maxSize: picture.length - 1 }), 'LimitExceeded', 'too large');
    let pulls = 0;
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        if (pulls > 2) {
          controller.error(new Error('the line went dead'));
        } else {
          controller.enqueue(picture);
        }
      },
    });
    const error = await repo.putBlob(failing).catch((cause: unknown) => cause);
    assertEqual((error as Error).message, 'the line went dead', 'the error of the stream comes out');
    assertEqual(await listOf(repo.blobs()), [], 'blobs');
  }),

  over('a blob with another CID than the expected one is not stored', async (repo) => {
    const expect = cidOf(CODEC_RAW, picture);
    const other = new Uint8Array([1, 2]);
    for (const source of [other, new Blob([other]), new Blob([other]).stream() as ReadableStream<Uint8Array>]) {
      await assertRejects(() => repo.putBlob(source, { expect }), 'Malformed', 'another blob');
    }
    assertEqual(await listOf(repo.blobs()), [], 'blobs');
    const { ref, mimeType } = await repo.putBlob(new Blob([picture]), { expect, mimeType: 'image/png' });
    assertEqual(`${ref} ${mimeType}`, `${expect} image/png`, 'the expected blob');
    assertEqual((await listOf(repo.blobs())).length, 1, 'stored blobs');
  }),

  over('missing blobs are those that records refer to, also in the old form', async (repo) => {
    const here = await repo.putBlob(picture, { mimeType: 'image/png' });
    const away = { $type: 'blob', ref: cidOf(CODEC_RAW, new Uint8Array([1])), mimeType: 'image/jpeg', size: 1 };
    await repo.put(POST, 'a', { ...post('a'), images: [{ image: here }, { image: away }] });
    await repo.put(LIKE, 'b', { blob: away });
    const missing = await listOf(repo.missingBlobs());
    assertEqual(
      missing.map(({ cid, mimeType, size }) => `${cid} ${mimeType} ${size}`),
      [`${away.ref} image/jpeg 1`],
      'missing',
    );
    assert(missing[0]!.uri.endsWith(`${LIKE}/b`), 'at its first mention in key order');
    await repo.putBlob(new Uint8Array([1]));
    assertEqual(await listOf(repo.missingBlobs()), [], 'once it is here');
  }),

  over('gc removes blobs only on request, and only those that no kept record refers to', async (repo) => {
    const kept = await repo.putBlob(picture);
    const orphan = await repo.putBlob(new Uint8Array(5));
    await repo.put(POST, 'a', { ...post('a'), image: kept });
    assertEqual((await repo.gc(AT_ONCE)).blobs, 0, 'not asked');
    assertEqual((await repo.gc({ ...AT_ONCE, blobs: true, blobAge: 0 })).blobs, 1, 'asked');
    assertEqual(await repo.getBlob(orphan.ref), undefined, 'the orphan');
    assertEqual(await bytesOf(await repo.getBlob(kept.ref)), picture, 'the other');
    assert((await repo.verify()).ok, 'it is sound');
  }),
];
