/** `missingBlobs` after each kind of change, compared with a walk over all records, and what it reads. */
import { describe, expect, test } from 'vitest';
import { CODEC_RAW, cidOf } from '../../../../src/core/data/cid.ts';
import { blobMentions } from '../../../../src/core/data/blob-ref.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { readAll } from '../../../../src/core/data/streams.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { seeded } from '../../../random/seeded.ts';
import { DID, KEY, LIKE, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';
import { CountingStore } from './counting-store.ts';

const blobBytes = (n: number): Uint8Array<ArrayBuffer> => Uint8Array.of(n, 7);

/** A record that mentions blobs. */
const withBlobs = ($type: string, text: string, numbers: readonly number[]) => ({
  ...post(text),
  $type,
  images: numbers.map((n) => ({ $type: 'blob', ref: cidOf(CODEC_RAW, blobBytes(n)), mimeType: 'image/png', size: 2 })),
});

/** Reads all records. */
const naive = async (repo: Repo): Promise<unknown[]> => {
  const seen = new Set((await listOf(repo.blobs())).map(({ cid }) => String(cid)));
  const missing: unknown[] = [];
  for await (const { collection, rkey, value } of repo.list()) {
    for (const { cid, mimeType, size } of blobMentions(value)) {
      if (!seen.has(String(cid))) {
        seen.add(String(cid));
        missing.push({ cid: String(cid), mimeType, size, uri: `at://${DID}/${collection}/${rkey}` });
      }
    }
  }
  return missing;
};

const missingOf = async (repo: Repo): Promise<unknown[]> =>
  (await listOf(repo.missingBlobs())).map(({ cid, ...rest }) => ({ ...rest, cid: String(cid) }));

describe('missing blobs', () => {
  test.each([1, 2, 3, 4])('are right after any sequence of changes (seed %i)', async (seed) => {
    const random = seeded(seed);
    const below = (count: number): number => Math.floor(random() * count);
    const [store, blobs] = [new MemoryBlockStore(), new MemoryBlobStore()];
    const open = (): Repo => repoOver({ did: DID, signer: KEY, store, blobs });
    let repo = open();
    const other = open();
    const record = ($type: string) =>
      below(3) === 0
        ? { ...post(`plain ${below(1e6)}`), $type }
        : withBlobs(
            $type,
            `${below(1e6)}`,
            Array.from({ length: 1 + below(3) }, () => below(30)),
          );
    await repo.write(creates(50));
    await repo.put(POST, rkeyOf(3), withBlobs(POST, 'first', [1, 2, 5]));
    const kept = await readAll(repo.exportCar());
    const put = (into: Pick<Repo, 'put'>) => {
      const collection = [POST, LIKE][below(2)]!;
      return into.put(collection, rkeyOf(below(40)), record(collection));
    };
    const moves: (() => Promise<unknown>)[] = [
      () => put(repo),
      () => put(repo),
      () => put(other),
      () => repo.delete([POST, LIKE][below(2)]!, rkeyOf(below(40))),
      () => repo.putBlob(new Blob([blobBytes(below(30))])),
      () => blobs.delete([cidOf(CODEC_RAW, blobBytes(below(30)))]),
      async () => {
        const revs = (await listOf(repo.log())).map(({ rev }) => rev);
        await repo.reset(revs[below(revs.length)]!);
      },
      () => repo.importCar(kept, { rollback: true }),
      () => repo.gc({ keep: 1 }),
      () => repo.repair(),
      async () => {
        repo = open();
      },
      async () => {
        await put(repo.branch('draft'));
        const tree = await repo.checkout();
        await repo.commit(await tree.put(LIKE, rkeyOf(below(40)), record(LIKE)));
      },
      async () => {
        // Stops early, so the first call after an opening remembers nothing.
        for await (const _ of repo.missingBlobs()) {
          break;
        }
      },
    ];
    for (let i = 0; i < 60; i++) {
      await moves[below(moves.length)]!();
      if (below(3) > 0) {
        expect(await missingOf(repo), `${i}`).toEqual(await naive(repo));
      }
    }
  });

  test('are found by reading what changed since the last call', async () => {
    const store = new CountingStore();
    const repo = repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore() });
    await repo.write(creates(3000));
    await repo.put(POST, rkeyOf(3), withBlobs(POST, 'first', [1]));
    store.reads = 0;
    expect(await missingOf(repo)).toHaveLength(1);
    expect(store.reads).toBeGreaterThan(2900);
    store.reads = 0;
    expect(await missingOf(repo)).toHaveLength(1);
    expect(store.reads).toBe(0);
    await repo.put(LIKE, rkeyOf(9), withBlobs(LIKE, 'second', [2, 3]));
    await repo.delete(POST, rkeyOf(3));
    store.reads = 0;
    expect(await missingOf(repo)).toEqual(await naive(repo));
    store.reads = 0;
    await repo.put(LIKE, rkeyOf(9), withBlobs(LIKE, 'third', [4]));
    expect(await missingOf(repo)).toHaveLength(1);
    expect(store.reads).toBeLessThan(20);
  });

  test('reject if a record is missing, also one that changed', async () => {
    const store = new MemoryBlockStore();
    const repo = repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore() });
    await repo.write(creates(10));
    await missingOf(repo);
    const { cid } = await repo.put(POST, rkeyOf(3), withBlobs(POST, 'new', [1]));
    await store.transact((change) => change.remove([cid]));
    await expect(missingOf(repo)).rejects.toMatchObject({ code: 'BlockNotFound' });
  });
});
