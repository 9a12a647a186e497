import { expect, test } from 'vitest';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { blobStoreCases } from '../../../src/testing/storage/blob-store-cases.ts';
import { runCases } from '../../run-cases.ts';

runCases(blobStoreCases, () => ({ keeps: false, open: async () => new MemoryBlobStore() }));

test("takes a copy: bytes that change later are not the blob's", async () => {
  const store = new MemoryBlobStore();
  const bytes = new Uint8Array([1, 2, 3]);
  const { cid } = await store.put(bytes);
  bytes.fill(0);
  expect(new Uint8Array(await (await store.get(cid))!.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
});
