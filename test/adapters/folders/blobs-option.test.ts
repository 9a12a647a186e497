/** Repositories in folders whose blobs are in another store. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { createRepo, importRepo, openOrCreateRepo, openRepo } from '../../../src/node.ts';
import { DID, KEY } from '../../../src/testing/repo/harness.ts';
import { scratchFolder } from '../scratch.ts';

const root = scratchFolder('blobs-option');

test('blobs are in the given store, which the repository closes', async () => {
  const folder = join(root, 'given');
  const blobs = new MemoryBlobStore();
  const repo = await openOrCreateRepo(folder, { did: DID, blobs });
  const { ref } = await repo.putBlob(new Uint8Array([1, 2, 3]));
  expect((await blobs.get(ref))?.size).toBe(3);
  expect(readdirSync(folder)).not.toContain('blobs');
  await repo.close();
  await expect(blobs.get(ref)).rejects.toMatchObject({ code: 'Closed' });
});

test('a failed opening does not close them', async () => {
  const blobs = new MemoryBlobStore();
  await expect(openRepo(join(root, 'missing'), { blobs })).rejects.toMatchObject({ code: 'RepoNotFound' });
  const { cid } = await blobs.put(new Uint8Array(1));
  const repo = await createRepo(join(root, 'missing'), { did: DID, blobs });
  expect((await repo.getBlob(cid))?.size).toBe(1);
  await repo.close();
});

test('an import keeps them open', async () => {
  const source = await createRepo(join(root, 'source'), { did: DID, signer: KEY });
  await source.put('com.example.note', 'one', { text: 'hello' });
  const car = new Uint8Array(await new Response(source.exportCar() as ReadableStream).arrayBuffer());
  await source.close();
  const folder = join(root, 'imported');
  const repo = await importRepo(folder, car, { blobs: new MemoryBlobStore() });
  expect((await repo.putBlob(new Uint8Array(1))).size).toBe(1);
  expect(repo.imported.created).toBe(1);
  await repo.close();
});
