/** Commits and nodes are dag-cbor by their CIDs, and not by their bytes alone. */
import { expect, test } from 'vitest';
import type { CidBytes, CID } from '../../../src/core/data/cid.ts';
import { CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { verifyTree } from '../../../src/core/mst/verify.ts';
import { decodeCommit } from '../../../src/core/repo/commit.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { verifyCar } from '../../../src/core/repo/transfer/verify-car.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { DID, POST, creates } from '../../../src/testing/repo/harness.ts';
import { carOf, carOfBlocks, posts, repositoryOf } from '../../hostile/build-repository.ts';

interface Place {
  readonly repo: Repo;
  readonly store: MemoryBlockStore;
  readonly head: CID;
  /** The commit of the head under a raw CID. */
  readonly raw: CID;
}

const place = async (): Promise<Place> => {
  const store = new MemoryBlockStore(DID);
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  await repo.write(creates(5));
  const head = (await repo.head())!.cid;
  const bytes = (await store.get(head))!;
  const raw = cidOf(CODEC_RAW, bytes);
  await store.transact(async (change) => void (await change.put([{ cid: raw, bytes }])));
  return { repo, store, head, raw };
};

const isMalformed = { code: 'Malformed', message: expect.stringMatching(/raw bytes/) };

test('a raw commit is rejected as the target of a ref, in checkout and in a diff', async () => {
  const { repo, raw } = await place();
  await expect(repo.setRef('branch', raw)).rejects.toMatchObject(isMalformed);
  await expect(repo.setRef('branch', String(raw))).rejects.toMatchObject(isMalformed);
  await expect(repo.checkout(raw)).rejects.toMatchObject(isMalformed);
  await expect(repo.diff(raw)[Symbol.asyncIterator]().next()).rejects.toMatchObject(isMalformed);
  expect((await repo.refs()).has('branch')).toBe(false);
});

test('verify reports a raw commit as the head, and a repair goes back to an older commit', async () => {
  const { repo, store, head, raw } = await place();
  await store.transact(async (change) => {
    await change.setRef('main', raw);
    await change.setRef('branch', raw);
  });
  await expect(repo.head()).rejects.toMatchObject(isMalformed);
  const { faults } = await repo.verify();
  expect(faults.map(({ path, message }) => [path, /raw bytes/.test(message)])).toEqual(
    expect.arrayContaining([
      ['main', true],
      ['branch', true],
    ]),
  );
  const report = await repo.repair();
  expect(report).toMatchObject({ whole: true, head });
  expect((await repo.verify()).faults).toEqual([]);
});

test('a raw root of a tree is malformed', async () => {
  const { store, head } = await place();
  const { data } = decodeCommit((await store.get(head))!);
  const bytes = (await store.get(data))!;
  const root = cidOf(CODEC_RAW, bytes);
  await store.transact(async (change) => void (await change.put([{ cid: root, bytes }])));
  expect((await verifyTree(store, root)).faults).toMatchObject([isMalformed]);
  await expect(createNodeReader(store).node(root.bytes as CidBytes)).rejects.toMatchObject(isMalformed);
});

test('verifyCar rejects a raw commit, and reports a record under a raw CID', async () => {
  const whole = await repositoryOf();
  const raw = { cid: cidOf(CODEC_RAW, whole.commit.bytes), bytes: whole.commit.bytes };
  await expect(verifyCar(carOfBlocks([raw.cid], [raw, ...whole.blocks]))).rejects.toMatchObject(isMalformed);
  const [[, record]] = posts(1) as [readonly [string, { readonly cid: CID; readonly bytes: Uint8Array }]];
  const named = { cid: cidOf(CODEC_RAW, record.bytes), bytes: record.bytes };
  const { ok, faults } = await verifyCar(carOf(await repositoryOf({ records: [[`${POST}/a`, named]] })));
  expect(ok).toBe(false);
  expect(faults).toMatchObject([{ ...isMalformed, path: `${POST}/a`, cid: named.cid }]);
});

test('a list ends at a record under a raw CID, and the others are read by their keys', async () => {
  const [first, ...others] = posts(3);
  const { bytes } = first![1];
  const named = { cid: cidOf(CODEC_RAW, bytes), bytes };
  const car = carOf(await repositoryOf({ records: [[`${POST}/a`, named], ...others] }));
  const other = repoOver({ did: DID, store: new MemoryBlockStore(DID), blobs: new MemoryBlobStore() });
  expect((await other.importCar(car)).faults).toMatchObject([isMalformed]);
  await expect(other.get(POST, 'a')).rejects.toMatchObject(isMalformed);
  const keys: string[] = [];
  const list = async (): Promise<void> => {
    for await (const { rkey } of other.list(POST)) {
      keys.push(rkey);
    }
  };
  await expect(list()).rejects.toMatchObject(isMalformed);
  expect(keys).toHaveLength(2);
});
