/** The reference implementation reads the repositories of pdsdb, and pdsdb reads those of the reference. */
import { P256Keypair, Secp256k1Keypair } from '@atproto/crypto';
import {
  type BlockMap,
  MemoryBlockstore,
  Repo as ReferenceRepo,
  WriteOpAction,
  getFullRepo,
  verifyRepoCar,
} from '@atproto/repo';
import { describe, expect, test } from 'vitest';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { decodeCid } from '../../src/core/data/cid.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import type { Curve } from '../../src/core/crypto/keys.ts';
import { CURVES } from '../../src/core/crypto/keys.ts';
import { createTreeBuilder } from '../../src/core/mst/build.ts';
import { layerOf } from '../../src/core/mst/key.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { Signer } from '../../src/core/crypto/signer.ts';
import { importKey } from '../../src/core/crypto/signing-key.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { randomWrites } from '../random/random-writes.ts';
import { seeded } from '../random/seeded.ts';

const STEPS = 2000;

const memoryRepo = (signer?: Signer): Repo =>
  repoOver({ did: DID, signer, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });

/** Layers by key, because hashing a key takes longer than the rest of a step. */
const layers = new Map<string, number>();

const layerOnce = (key: string): number => {
  const layer = layers.get(key) ?? layerOf(key);
  layers.set(key, layer);
  return layer;
};

/** Returns the root of a tree that is built from the list of records. */
const rootFromScratch = async (repo: Repo): Promise<{ root: string; paths: string[] }> => {
  const tree = await repo.checkout();
  const builder = createTreeBuilder();
  const paths: string[] = [];
  for await (const { collection, rkey, cid } of tree.entries()) {
    const path = `${collection}/${rkey}`;
    builder.add(path, cid.bytes as CidBytes, layerOnce(path));
    paths.push(path);
  }
  return { root: String(decodeCid(builder.finish())), paths };
};

describe.each(CURVES)('after %s-signed random writes', (curve: Curve) => {
  const seed = curve === 'p256' ? 20260101 : 20260102;

  test(`${STEPS} of them (seed ${seed}): the records equal the Map at every step, the root equals that of a new tree, and the reference verifies it`, async () => {
    const key = importKey('0123456789abcdef'.repeat(4), curve);
    // Signed only at the end, because a signature and its check take ten times as long as the rest of a commit.
    const repo = memoryRepo();
    const state = new Map<string, number>();
    const steps = randomWrites(seeded(seed), state);
    for (let i = 0; i < STEPS; i++) {
      const { op } = steps.next().value!;
      await repo.write([op]);
      const { root, paths } = await rootFromScratch(repo);
      expect(String((await repo.head())!.data)).toBe(root);
      expect(paths).toEqual([...state.keys()].sort());
    }
    for (const [path, version] of state) {
      const [collection, rkey] = path.split('/') as [string, string];
      expect((await repo.get(collection, rkey))!.value.version).toBe(version);
    }
    await repo.write([], { signer: key });
    expect((await repo.verify({ key: key.did() })).faults).toEqual([]);

    const verified = await verifyRepoCar(await readAll(repo.exportCar()), DID, key.did());
    expect(verified.creates).toHaveLength(state.size);
    expect(verified.commit.cid.toString()).toBe(String((await repo.head())!.cid));
    await expect(
      verifyRepoCar(await readAll(repo.exportCar()), DID, importKey('77'.repeat(32), curve).did()),
    ).rejects.toThrow();
  });

  test('batches of writes give the same tree as single writes', async () => {
    const [one, many] = [memoryRepo(), memoryRepo()];
    const steps = randomWrites(seeded(seed + 1), new Map());
    for (let batch = 0; batch < 10; batch++) {
      const ops = Array.from({ length: 50 }, () => steps.next().value!.op);
      for (const op of ops) {
        await one.write([op]);
      }
      await many.write(ops);
      expect(String((await many.head())!.data)).toBe(String((await one.head())!.data));
    }
  });
});

describe.each([
  ['secp256k1', () => Secp256k1Keypair.create()],
  ['p256', () => P256Keypair.create()],
] as const)('what the reference writes with a key of %s', (_, createKey) => {
  test('the reference verifies, writes to and reads the repository', async () => {
    const key = await createKey();
    const storage = new MemoryBlockstore();
    let reference = await ReferenceRepo.create(storage, DID, key);
    const state = new Map<string, number>();
    const steps = randomWrites(seeded(7), state);
    for (let i = 0; i < 200; i++) {
      const { op } = steps.next().value!;
      const { collection, rkey } = op as { collection: `${string}.${string}.${string}`; rkey: string };
      const write =
        op.action === 'delete'
          ? { action: WriteOpAction.Delete as const, collection, rkey }
          : {
              action: op.action === 'create' ? (WriteOpAction.Create as const) : (WriteOpAction.Update as const),
              collection,
              rkey,
              record: op.value as never,
            };
      reference = await reference.applyWrites(write, key);
    }
    const parts: Uint8Array[] = [];
    for await (const part of getFullRepo(storage, reference.cid)) {
      parts.push(part);
    }

    const repo = memoryRepo({ sign: (bytes) => key.sign(bytes), did: () => key.did() });
    const result = await repo.importCar(new Blob(parts as Uint8Array<ArrayBuffer>[]), { key: key.did() });
    expect(result.created).toBe(state.size);
    expect(String(result.head)).toBe(reference.cid.toString());
    expect(await repo.verify({ key: key.did() })).toMatchObject({ ok: true, signature: 'valid' });
    expect(
      (await listOf((await repo.checkout()).entries())).map(({ collection, rkey }) => `${collection}/${rkey}`),
    ).toEqual([...state.keys()].sort());

    // Its keys sign our commits without an adapter.
    await repo.write([{ action: 'create', collection: 'com.example.thing', value: { text: 'ours' } }]);
    const verified = await verifyRepoCar(await readAll(repo.exportCar()), DID, key.did());
    expect(verified.creates).toHaveLength(state.size + 1);
  });
});

test('the reference applies the changes since a rev', async () => {
  const key = importKey('33'.repeat(32));
  const repo = memoryRepo(key);
  const steps = randomWrites(seeded(9), new Map());
  const first = await repo.write(Array.from({ length: 100 }, () => steps.next().value!.op));
  const whole = await readAll(repo.exportCar());
  await repo.write(Array.from({ length: 20 }, () => steps.next().value!.op));
  const { readCarWithRoot, verifyDiffCar } = await import('@atproto/repo');
  const base = await readCarWithRoot(whole);
  const storage = new MemoryBlockstore(base.blocks as BlockMap);
  const reference = await ReferenceRepo.load(storage, base.root);
  const diff = await verifyDiffCar(reference, await readAll(repo.exportCar({ since: first.rev })), DID, key.did());
  const ours = await listOf(repo.diff(first.rev));
  expect(diff.writes.map(({ collection, rkey }) => `${collection}/${rkey}`).sort()).toEqual(
    ours.map(({ collection, rkey }) => `${collection}/${rkey}`).sort(),
  );
});
